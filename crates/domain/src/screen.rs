//! The screen of an agent, recorded during a call.
//! Owns: what a page may send when, where a pause begins and ends on the recording's time line.
//! Never: holds a byte of video; takes anything that the page made between a pause's command and its end.
//!
//! A recording is a list of parts, each one video that plays alone. A page ends its part at a pause and begins another one behind it, so no byte of a pause exists; what a
//! page claims of its times is checked against the server's all the same. docs/decisions/0014-screen-recordings.md says why it is so.

use serde::{Deserialize, Serialize};

use crate::id::CallId;
use crate::service::{ScreenRecording, ScreenSurfaces};

/// Chunks that a page may still have to send when it acknowledges a pause: some seconds of a slow line.
pub const LATE_CHUNKS_MAX: u32 = 16;
/// A page's clock runs from an answer of the server, so both differ by the way of that answer. More is refused.
pub const CLOCKS_APART_MS: u64 = 2_000;
/// Parts of one recording: each pause ends one, and so does each sharing.
pub const PARTS_MAX: u16 = 1_000;
/// Bytes of one recording: four hours at 2 Mbit/s.
pub const SCREEN_BYTES_MAX: u64 = 3_600_000_000;

/// What a page shares, in the browser's words (`displaySurface`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScreenSurface {
    /// An entire screen.
    Monitor,
    /// A window.
    Window,
    /// A tab of the browser.
    Browser,
}

impl ScreenSurface {
    /// Its name in the API and in audit entries.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Window => "window",
            Self::Browser => "browser",
        }
    }
}

/// Why a page no longer shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SharingEnd {
    /// The agent ended it, in the page or in the browser's bar.
    Stopped,
    /// The browser could not go on.
    Failed,
    /// The page did not acknowledge a pause in time.
    Unanswered,
}

impl SharingEnd {
    /// Its name in the API and in audit entries.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Unanswered => "unanswered",
        }
    }
}

/// Whether a page is to record now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScreenHold {
    /// It is.
    None,
    /// It is to stop, and has not acknowledged that.
    Pausing,
    /// It must not.
    Paused,
}

/// The screen of a call, as its agent's page is told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ScreenView {
    /// The call.
    pub call: CallId,
    /// Counts changes: a view with a lower number is older.
    pub revision: u64,
    /// What the service takes.
    pub surfaces: ScreenSurfaces,
    /// Without a shared screen no Basic capture begins.
    pub required: bool,
    /// The page shares.
    pub shared: bool,
    /// Why it no longer does; none: it does, or never did.
    pub ended: Option<SharingEnd>,
    /// Whether it is to record.
    pub hold: ScreenHold,
    /// The number that the next part has.
    pub part: u16,
    /// Now, in milliseconds since the recording began; 0 before it has.
    pub at_ms: u64,
}

/// What a page says of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkClaim {
    /// Its part.
    pub part: u16,
    /// Its place in the part, from 0.
    pub sequence: u32,
    /// Where its video begins, in milliseconds since the recording began. Of a part's first chunk: where the part does.
    pub begin_ms: u64,
    /// Where it ends.
    pub until_ms: u64,
}

/// A page's word that it records nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseAcknowledgement {
    /// The part that it ended, or would have begun.
    pub part: u16,
    /// Chunks that this part has, those counted that are still to be sent.
    pub chunks: u32,
    /// Where it ended, in milliseconds since the recording began.
    pub at_ms: u64,
}

/// Why something of a page is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScreenRefusal {
    /// The call is not this agent's, is over, or its screen is not recorded.
    #[error("the screen of this call is not recorded")]
    PeerUnknown,
    /// The service wants an entire screen.
    #[error("share your entire screen: this service does not take a window or a tab")]
    PeerSurface,
    /// Nothing is shared.
    #[error("the screen is not shared; share it first")]
    PeerNotShared,
    /// The pause has to be acknowledged first.
    #[error("a pause was asked for; acknowledge it, then send what was recorded before")]
    PeerPausing,
    /// It is of a pause.
    #[error("recording is paused, and this was not recorded before")]
    PeerPaused,
    /// No pause waits for a word.
    #[error("no pause waits to be acknowledged")]
    PeerNotPausing,
    /// It came already.
    #[error("this chunk came already")]
    PeerRepeated,
    /// Another one is to come.
    #[error("chunk {sequence} of part {part} is the next one")]
    PeerOutOfOrder {
        /// Its part.
        part: u16,
        /// Its place.
        sequence: u32,
    },
    /// Its times go back, lie ahead, or in a pause.
    #[error("its times do not follow what came before, or lie ahead or in a pause")]
    PeerTime,
    /// An acknowledgement that keeps too much back.
    #[error("say how many chunks the part has: as many as came, or up to 16 more")]
    PeerCount,
    /// Empty or too large.
    #[error("a chunk has 1 byte to 2 MiB")]
    PeerSize,
    /// Not a video's.
    #[error("name the media type of a video, such as video/webm;codecs=vp8")]
    PeerMediaType,
    /// The recording has as many parts or bytes as it may.
    #[error("the recording has as many parts or bytes as it may; it goes on with the next call")]
    PeerFull,
    /// The disk, the database or a key. The log says more.
    #[error("the screen cannot be recorded now; the server's log says why")]
    Unavailable,
}

/// What browsers record screens as.
const VIDEO_TYPES: [&str; 3] = ["video/webm", "video/mp4", "video/x-matroska"];
/// Longest media type, in bytes.
const MEDIA_TYPE_BYTES_MAX: usize = 100;
/// Codecs have fewer digits in a row; a card number has more.
const DIGITS_IN_A_ROW_MAX: usize = 7;

/// A video's media type as browsers write it, with codecs or without.
#[must_use]
pub fn is_video(media_type: &str) -> bool {
    let (kind, codecs) = media_type.split_once(';').unwrap_or((media_type, ""));
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"=., -\"".contains(&byte);
    let mut runs = codecs.split(|c: char| !c.is_ascii_digit());
    media_type.len() <= MEDIA_TYPE_BYTES_MAX
        && VIDEO_TYPES.contains(&kind)
        && codecs.bytes().all(word)
        && runs.all(|run| run.len() <= DIGITS_IN_A_ROW_MAX)
}

/// What is recorded of the screen of one call.
#[derive(Debug)]
pub struct ScreenTake {
    rule: ScreenRecording,
    share: Share,
    hold: ScreenHold,
    part: Option<Part>,
    next_part: u16,
    /// Where the last pause ended.
    resumed_ms: u64,
    bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    None,
    On,
    Ended(SharingEnd),
}

/// The part under way, or the one that a pause has ended.
#[derive(Debug, Clone, Copy)]
struct Part {
    number: u16,
    /// The chunk that comes next.
    next: u32,
    until_ms: u64,
    /// What the page said when it ended the part.
    end: Option<PauseAcknowledgement>,
}

/// A chunk that may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Where its part begins, if it is the first one.
    pub begins_part_at_ms: Option<u64>,
}

/// What a pause needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseNeeds {
    /// The page's word.
    Acknowledgement,
    /// Nothing: no page records.
    Nothing,
}

impl ScreenTake {
    /// Nothing is shared yet.
    #[must_use]
    pub fn new(rule: ScreenRecording) -> Self {
        Self {
            rule,
            share: Share::None,
            hold: ScreenHold::None,
            part: None,
            next_part: 0,
            resumed_ms: 0,
            bytes: 0,
        }
    }

    /// What the page is told.
    #[must_use]
    pub fn view(&self, call: CallId, revision: u64, at_ms: u64) -> ScreenView {
        ScreenView {
            call,
            revision,
            surfaces: self.rule.surfaces,
            required: self.rule.required,
            shared: self.share == Share::On,
            ended: match self.share {
                Share::Ended(why) => Some(why),
                Share::None | Share::On => None,
            },
            hold: self.hold,
            part: self.next_part,
            at_ms,
        }
    }

    /// Whether a page is to record.
    #[must_use]
    pub fn hold(&self) -> ScreenHold {
        self.hold
    }

    /// Whether a surface may be shared.
    ///
    /// # Errors
    /// [`ScreenRefusal::PeerSurface`], or [`ScreenRefusal::PeerFull`].
    pub fn judge_surface(&self, surface: ScreenSurface) -> Result<(), ScreenRefusal> {
        let fits = match self.rule.surfaces {
            ScreenSurfaces::Any => true,
            ScreenSurfaces::EntireScreen => surface == ScreenSurface::Monitor,
        };
        if !fits {
            return Err(ScreenRefusal::PeerSurface);
        }
        self.has_room()
    }

    /// A page shares, maybe another one than before: it begins with a new part.
    pub fn share(&mut self) {
        self.share = Share::On;
        self.part = None;
    }

    /// No page shares any more. A pause that waited for its word has nothing to wait for. Whether one did.
    pub fn end_share(&mut self, why: SharingEnd) -> bool {
        let was_on = self.share == Share::On;
        if was_on {
            self.share = Share::Ended(why);
            self.part = None;
            if self.hold == ScreenHold::Pausing {
                self.hold = ScreenHold::Paused;
            }
        }
        was_on
    }

    /// From now on nothing new is taken.
    ///
    /// # Errors
    /// [`ScreenRefusal::PeerNotShared`] where the service requires a shared screen. It is paused all the same.
    pub fn pause(&mut self) -> Result<PauseNeeds, ScreenRefusal> {
        match (self.share, self.hold) {
            (Share::On, ScreenHold::None | ScreenHold::Pausing) => {
                self.hold = ScreenHold::Pausing;
                Ok(PauseNeeds::Acknowledgement)
            }
            (Share::On, ScreenHold::Paused) => Ok(PauseNeeds::Nothing),
            (Share::None | Share::Ended(_), _) => {
                self.hold = ScreenHold::Paused;
                match self.rule.required {
                    true => Err(ScreenRefusal::PeerNotShared),
                    false => Ok(PauseNeeds::Nothing),
                }
            }
        }
    }

    /// The page has ended its part. Where the pause begins.
    ///
    /// # Errors
    /// No pause waits for it, or it does not fit what came.
    pub fn acknowledge(
        &mut self,
        said: PauseAcknowledgement,
        now_ms: u64,
    ) -> Result<u64, ScreenRefusal> {
        if self.hold != ScreenHold::Pausing {
            return Err(ScreenRefusal::PeerNotPausing);
        }
        let running = self.running();
        let part = running.unwrap_or(Part {
            number: self.next_part,
            next: 0,
            until_ms: self.resumed_ms,
            end: None,
        });
        if said.part != part.number {
            return Err(ScreenRefusal::PeerOutOfOrder {
                part: part.number,
                sequence: part.next,
            });
        }
        let late = said.chunks.checked_sub(part.next);
        if late.is_none_or(|late| late > LATE_CHUNKS_MAX) {
            return Err(ScreenRefusal::PeerCount);
        }
        if said.at_ms < part.until_ms || said.at_ms > now_ms.saturating_add(CLOCKS_APART_MS) {
            return Err(ScreenRefusal::PeerTime);
        }
        self.part = Some(Part {
            end: Some(said),
            ..part
        });
        self.next_part = self.next_part.max(part.number.saturating_add(1));
        self.hold = ScreenHold::Paused;
        Ok(said.at_ms.min(now_ms))
    }

    /// What is recorded from now on is taken again. Whether it was not.
    pub fn resume(&mut self, now_ms: u64) -> bool {
        let was_held = self.hold != ScreenHold::None;
        if was_held {
            self.hold = ScreenHold::None;
            self.resumed_ms = now_ms;
        }
        was_held
    }

    /// Whether a chunk of so many bytes may be kept.
    ///
    /// # Errors
    /// Why not.
    pub fn judge(
        &self,
        claim: ChunkClaim,
        bytes: u64,
        now_ms: u64,
    ) -> Result<Taken, ScreenRefusal> {
        if self.share != Share::On {
            return Err(ScreenRefusal::PeerNotShared);
        }
        if self.hold == ScreenHold::Pausing {
            return Err(ScreenRefusal::PeerPausing);
        }
        let ahead = now_ms.saturating_add(CLOCKS_APART_MS);
        if claim.until_ms < claim.begin_ms || claim.until_ms > ahead {
            return Err(ScreenRefusal::PeerTime);
        }
        if self.bytes.saturating_add(bytes) > SCREEN_BYTES_MAX {
            return Err(ScreenRefusal::PeerFull);
        }
        match self.part {
            Some(part) if claim.part == part.number => self.judge_next(&part, claim),
            _ if self.running().is_some() => Err(self.out_of_order(claim)),
            _ => self.judge_first(claim),
        }
    }

    /// A chunk that [`ScreenTake::judge`] let pass was kept.
    pub fn take(&mut self, claim: ChunkClaim, bytes: u64) {
        let end = self.part.filter(|part| part.number == claim.part);
        self.part = Some(Part {
            number: claim.part,
            next: claim.sequence.saturating_add(1),
            until_ms: claim.until_ms,
            end: end.and_then(|part| part.end),
        });
        self.next_part = self.next_part.max(claim.part.saturating_add(1));
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn judge_next(&self, part: &Part, claim: ChunkClaim) -> Result<Taken, ScreenRefusal> {
        if claim.sequence < part.next {
            return Err(ScreenRefusal::PeerRepeated);
        }
        if let Some(end) = part.end
            && (claim.sequence >= end.chunks || claim.until_ms > end.at_ms)
        {
            return Err(ScreenRefusal::PeerPaused);
        }
        if part.end.is_none() && self.hold == ScreenHold::Paused {
            return Err(ScreenRefusal::PeerPaused);
        }
        if claim.sequence > part.next {
            return Err(self.out_of_order(claim));
        }
        if claim.begin_ms < part.until_ms {
            return Err(ScreenRefusal::PeerTime);
        }
        let begins_part_at_ms = (claim.sequence == 0).then_some(claim.begin_ms);
        Ok(Taken { begins_part_at_ms })
    }

    /// Of a part that has not begun.
    fn judge_first(&self, claim: ChunkClaim) -> Result<Taken, ScreenRefusal> {
        if self.hold == ScreenHold::Paused {
            return Err(ScreenRefusal::PeerPaused);
        }
        if claim.part < self.next_part {
            return Err(ScreenRefusal::PeerRepeated);
        }
        if (claim.part, claim.sequence) != (self.next_part, 0) {
            return Err(self.out_of_order(claim));
        }
        let earliest = self.resumed_ms.saturating_sub(CLOCKS_APART_MS);
        let behind = self.part.map_or(0, |part| part.until_ms);
        if claim.begin_ms < earliest.max(behind) || claim.until_ms < self.resumed_ms {
            return Err(ScreenRefusal::PeerTime);
        }
        self.has_room()?;
        Ok(Taken {
            begins_part_at_ms: Some(claim.begin_ms.max(self.resumed_ms)),
        })
    }

    fn has_room(&self) -> Result<(), ScreenRefusal> {
        match self.next_part < PARTS_MAX && self.bytes < SCREEN_BYTES_MAX {
            true => Ok(()),
            false => Err(ScreenRefusal::PeerFull),
        }
    }

    /// The part that no pause has ended.
    fn running(&self) -> Option<Part> {
        self.part.filter(|part| part.end.is_none())
    }

    fn out_of_order(&self, claim: ChunkClaim) -> ScreenRefusal {
        match self.part {
            Some(part) if part.end.is_none() || part.number == claim.part => {
                ScreenRefusal::PeerOutOfOrder {
                    part: part.number,
                    sequence: part.next,
                }
            }
            _ => ScreenRefusal::PeerOutOfOrder {
                part: self.next_part,
                sequence: 0,
            },
        }
    }
}

#[cfg(test)]
mod tests;
