use std::os::unix::fs::FileExt;

use super::*;
use crate::bytes_of::{Bytes, RING};
use crate::keys::tests::ring;
use crate::reader::Reader;
use crate::{OpenError, SpanKind};

const BEGAN: UnixMillis = UnixMillis(1_764_237_600_123);
const PART: Range<u64> = 110..150;

struct Place {
    _dir: tempfile::TempDir,
    folder: Folder,
    id: RecordingId,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path().join("recordings")).unwrap();
        let whole = Bytes::three("r", 1);
        let (file, _) = folder.create(&whole.header).unwrap();
        file.write_all_at(&whole.bytes, 0).unwrap();
        Self {
            _dir: dir,
            folder,
            id: "r".parse().unwrap(),
        }
    }

    /// The first so many steps, and then the power went.
    fn interrupted(steps: usize) -> Self {
        let place = Self::new();
        let named = (&place.id, BEGAN);
        make_folder(&place.folder.redacting()).unwrap();
        let ring = ring(&[RING]);
        let under = (ring.active().unwrap(), [5; 12]);
        let reader = place.folder.read(named, &ring).unwrap();
        let key = DataKey::random().unwrap().0;
        let all = place.folder.steps((&place.id, BEGAN), SinkMedium::Call);
        if steps == 1 {
            // Half of the new file.
            let mut half = Vec::new();
            redact(&reader, PART, &key, under, &mut half).unwrap();
            half.truncate(half.len() / 2 + 6_000);
            fs::write(&all.new, half).unwrap();
        }
        if steps >= 2 {
            all.write_new(|out| redact(&reader, PART, &key, under, out))
                .unwrap();
        }
        if steps >= 3 {
            all.name_old().unwrap();
        }
        if steps >= 4 {
            all.swap().unwrap();
        }
        if steps >= 5 {
            assert!(delete_key(&all.old).unwrap());
        }
        place
    }

    fn settle(&self) -> SettledRedaction {
        let named = (&self.id, BEGAN);
        self.folder
            .settle_redaction(named, SinkMedium::Call)
            .unwrap()
    }

    fn forget(&self) {
        let named = (&self.id, BEGAN);
        self.folder
            .forget_redaction(named, SinkMedium::Call)
            .unwrap();
    }

    /// Whether the recording can be read, and with the part removed.
    fn is_redacted(&self) -> bool {
        let named = (&self.id, BEGAN);
        let reader = self.folder.read(named, &ring(&[RING])).unwrap();
        assert_eq!(reader.ending(), crate::Ending::Whole);
        let mut heard = [0; 2 * 40];
        assert_eq!(reader.read(PART.start, &mut heard).unwrap(), 0);
        let is_silent = heard.iter().all(|sample| sample.unsigned_abs() <= 8);
        let spans = reader.spans();
        let is_marked = spans.iter().any(|span| span.kind == SpanKind::Removed);
        assert_eq!(is_silent, is_marked);
        is_marked
    }

    /// Files beside the recording's.
    fn left(&self) -> usize {
        fs::read_dir(self.folder.redacting()).map_or(0, Iterator::count)
    }
}

#[test]
fn once_a_part_is_removed_nothing_opens_what_was_there_before() {
    let place = Place::new();
    let named = (&place.id, BEGAN);
    let kept = place.folder.root().join("kept");
    fs::hard_link(place.folder.path(&place.id, BEGAN), &kept).unwrap();
    place.folder.redact(named, &ring(&[RING]), PART).unwrap();
    assert!(place.is_redacted());
    let why = Reader::open(File::open(kept).unwrap(), &ring(&[RING])).unwrap_err();
    assert!(matches!(why, OpenError::Key(KeyError::OperatorDeleted)));
    assert_eq!(
        place.folder.redactions().unwrap(),
        BTreeSet::from([place.id.clone()])
    );
    assert_eq!(place.settle(), SettledRedaction::Done);
    place.forget();
    assert_eq!((place.left(), place.settle()), (0, SettledRedaction::None));
    assert_eq!(place.folder.redactions().unwrap(), BTreeSet::new());
    assert!(place.is_redacted());
}

#[test]
fn an_interruption_between_any_two_steps_leaves_one_readable_file_and_the_next_try_succeeds() {
    for (steps, expected) in [
        (0, SettledRedaction::None),
        (1, SettledRedaction::Undone),
        (2, SettledRedaction::Undone),
        (3, SettledRedaction::Undone),
        (4, SettledRedaction::Done),
        (5, SettledRedaction::Done),
    ] {
        let place = Place::interrupted(steps);
        let is_done = expected == SettledRedaction::Done;
        assert_eq!(place.is_redacted(), is_done, "before {steps}");
        assert_eq!(place.settle(), expected, "{steps}");
        assert_eq!(place.is_redacted(), is_done, "{steps}");
        place.forget();
        assert_eq!(place.left(), 0, "{steps}");
        let named = (&place.id, BEGAN);
        place.folder.redact(named, &ring(&[RING]), PART).unwrap();
        assert!(place.is_redacted(), "{steps}");
    }
}

#[test]
fn an_undoing_that_was_interrupted_leaves_the_recording_its_key() {
    let place = Place::interrupted(3);
    let steps = place.folder.steps((&place.id, BEGAN), SinkMedium::Call);
    assert!(delete_at(&steps.new).unwrap());
    assert_eq!(place.settle(), SettledRedaction::Undone);
    assert!(!place.is_redacted());
    assert_eq!(place.left(), 0);
}

#[test]
fn a_deletion_takes_what_an_interrupted_redaction_left() {
    for steps in 0..=5 {
        let place = Place::interrupted(steps);
        assert!(place.folder.delete(&place.id, BEGAN).unwrap());
        assert_eq!(place.left(), 0, "{steps}");
        assert!(!place.folder.path(&place.id, BEGAN).exists());
    }
}

#[test]
fn a_part_that_cannot_be_removed_leaves_nothing_behind() {
    let place = Place::new();
    let named = (&place.id, BEGAN);
    let refused = place.folder.redact(named, &ring(&[RING]), 700..800);
    assert!(matches!(
        refused,
        Err(RedactFileError::Redact {
            cause: RedactError::OperatorEmpty,
            ..
        })
    ));
    assert_eq!(place.left(), 0);
    assert!(!place.is_redacted());
}

#[test]
fn of_a_screen_the_same_steps_are_taken() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::open(dir.path()).unwrap();
    let header = crate::ScreenHeader {
        id: "s".parse().unwrap(),
        began: BEGAN,
        is_redacted: false,
    };
    let id = header.id.clone();
    let named = (&id, BEGAN);
    let ring = ring(&[RING]);
    let mut writer = crate::ScreenWriter::begin(&folder, header, &ring).unwrap();
    writer.part(0, 0, "video/webm").unwrap();
    writer.chunk((0, 0), 1_000, b"abc").unwrap();
    writer.end(1_000).unwrap();
    let kept = dir.path().join("kept");
    fs::hard_link(folder.screen_path(&id, BEGAN), &kept).unwrap();
    folder.redact_screen(named, &ring, &(500..600)).unwrap();
    let why = crate::ScreenReader::open(File::open(&kept).unwrap(), &ring).unwrap_err();
    assert!(matches!(why, OpenError::Key(KeyError::OperatorDeleted)));
    let settled = folder.settle_redaction(named, SinkMedium::Screen).unwrap();
    assert_eq!(settled, SettledRedaction::Done);
    assert!(folder.read_screen(named, &ring).unwrap().parts()[0].is_removed);
    assert!(folder.delete_screen(&id, BEGAN).unwrap());
    assert_eq!(fs::read_dir(folder.redacting()).unwrap().count(), 0);
}
