//! Recording bytes at rest.
//! Owns: segments, their encryption, spans and retention.
//! Never: hears audio before the mask, decides who may record or listen, waits on behalf of a media thread.
//! Start reading at: `composer`, then `writer` and `reader`. docs/decisions/0011-recordings.md says why it is so;
//! of screens: `screen`, and docs/decisions/0014-screen-recordings.md.

mod composer;
mod feed;
mod folder;
mod header;
mod keys;
mod opus;
mod peaks;
mod reader;
mod redact;
mod screen;
mod segment;
mod source;
mod span;
mod wav;
mod writer;

#[cfg(test)]
mod bytes_of;

pub use composer::{Composer, HOLD_SAMPLES, PauseError};
pub use feed::Feed;
pub use folder::{
    Folder, FolderError, ReadFileError, RedactFileError, RewrapError, SettledRedaction,
};
pub use g711::Law;
pub use header::{Header, HeaderError};
pub use keys::{DataKey, InvalidKeyId, KeyError, KeyId, KeyRing, SealError, WrappingKey};
pub use opus::{OpusError, export_opus};
pub use peaks::{PEAK_SAMPLES, Peak};
pub use reader::{Damage, Ending, OpenError, ReadError, Reader};
pub use redact::{RedactError, redact};
pub use screen::{
    CHUNK_BYTES_MAX, MEDIA_TYPE_BYTES_MAX, Part, ScreenEnded, ScreenHeader, ScreenPartError,
    ScreenReader, ScreenSpan, ScreenWriteError, ScreenWriter, redact_screen,
};
pub use segment::SEGMENT_SAMPLES;
pub use source::Source;
pub use span::{Edge, Mark, Span, SpanKind, Track, Tracks};
pub use wav::{Handed, Wav, WavError};
pub use writer::{
    BeginError, ControlError, Counts, Ended, NewRecording, Report, Reports, StartError, Writer,
    WriterGone,
};
