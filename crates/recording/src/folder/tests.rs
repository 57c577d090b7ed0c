use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::bytes_of::{Bytes, RING};
use crate::keys::tests::ring;

const BEGAN: UnixMillis = UnixMillis(1_764_237_600_123);

/// A folder with one recording in it.
struct Place {
    _dir: tempfile::TempDir,
    folder: Folder,
    id: RecordingId,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path().join("recordings")).unwrap();
        let id: RecordingId = "r".parse().unwrap();
        let whole = Bytes::three("r", 1);
        let (file, path) = folder.create(&whole.header).unwrap();
        file.write_all_at(&whole.bytes, 0).unwrap();
        Self {
            _dir: dir,
            folder,
            id,
            path,
        }
    }

    fn slots(&self) -> [bool; 2] {
        let bytes = fs::read(&self.path).unwrap();
        SLOT_OFFSETS.map(|at| bytes[at..at + SLOT_BYTES] != NO_KEY)
    }

    fn opens_with(&self, keys: &[u8]) -> bool {
        self.folder.read((&self.id, BEGAN), &ring(keys)).is_ok()
    }

    fn rewrap(&self, keys: &[u8], nonce: u8) -> Result<bool, RewrapError> {
        let at = (&self.id, BEGAN);
        self.folder.rewrap(at, &ring(keys), [nonce; NONCE_BYTES])
    }
}

#[test]
fn a_recording_lies_in_the_folder_of_its_day_for_its_owner_alone() {
    let place = Place::new();
    assert!(
        place.path.ends_with("recordings/2025-11-27/r.twrec"),
        "{:?}",
        place.path
    );
    for (path, mode) in [
        (place.path.as_path(), 0o600),
        (place.path.parent().unwrap(), 0o700),
    ] {
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            mode
        );
    }
    let again = place.folder.create(&Bytes::new("r", 1).header).unwrap_err();
    assert_eq!(again.cause.kind(), io::ErrorKind::AlreadyExists);
}

#[test]
fn a_key_is_wrapped_anew_and_the_old_key_opens_it_no_more() {
    let place = Place::new();
    assert!(!place.rewrap(&[7, RING], 9).unwrap());
    assert!(place.rewrap(&[RING, 7], 9).unwrap());
    assert_eq!(place.slots(), [false, true]);
    assert!(place.opens_with(&[7]) && !place.opens_with(&[RING]));
    assert!(place.rewrap(&[7, 8], 10).unwrap());
    assert_eq!(place.slots(), [true, false]);
    assert!(place.opens_with(&[8]) && !place.opens_with(&[7]));
    assert!(!place.rewrap(&[8], 11).unwrap());
}

#[test]
fn a_rewrapping_that_was_interrupted_is_finished_by_the_next_one() {
    for torn in [false, true] {
        let place = Place::new();
        let old = fs::read(&place.path).unwrap();
        assert!(place.rewrap(&[RING, 7], 9).unwrap());
        let file = OpenOptions::new().write(true).open(&place.path).unwrap();
        let [first, second] = SLOT_OFFSETS;
        file.write_all_at(&old[first..first + SLOT_BYTES], first as u64)
            .unwrap();
        if torn {
            file.write_all_at(&[0xEE; 20], second as u64 + 30).unwrap();
        }
        assert!(place.opens_with(&[RING]));
        assert!(place.rewrap(&[RING, 7], 12).unwrap());
        assert_eq!(place.slots().iter().filter(|slot| **slot).count(), 1);
        assert!(place.opens_with(&[7]) && !place.opens_with(&[RING]));
    }
}

#[test]
fn a_rewrapping_without_the_old_key_changes_nothing() {
    let place = Place::new();
    let before = fs::read(&place.path).unwrap();
    assert!(matches!(
        place.rewrap(&[7], 9),
        Err(RewrapError::Key(KeyError::ConfigMissing(_)))
    ));
    assert!(matches!(
        place.rewrap(&[], 9),
        Err(RewrapError::Key(KeyError::ConfigNoKey))
    ));
    assert_eq!(fs::read(&place.path).unwrap(), before);
}

#[test]
fn deleting_takes_the_key_first_and_is_done_once() {
    let place = Place::new();
    let kept = place.path.with_extension("kept");
    fs::hard_link(&place.path, &kept).unwrap();
    assert!(place.folder.delete(&place.id, BEGAN).unwrap());
    assert!(!place.path.exists());
    let file = File::open(kept).unwrap();
    let why = Reader::open(file, &ring(&[RING])).unwrap_err();
    assert!(matches!(why, OpenError::Key(KeyError::OperatorDeleted)));
    assert!(!place.folder.delete(&place.id, BEGAN).unwrap());
}

#[test]
fn a_file_under_another_recordings_name_is_refused() {
    let place = Place::new();
    let other: RecordingId = "s".parse().unwrap();
    fs::rename(&place.path, place.folder.path(&other, BEGAN)).unwrap();
    let why = place
        .folder
        .read((&other, BEGAN), &ring(&[RING]))
        .unwrap_err();
    assert!(matches!(why, ReadFileError::PeerOther { .. }));
}
