//! The bytes of a screen recording.
//! Owns: the second kind of file: parts that play alone, their chunks, pauses.
//! Never: looks into a video; holds a byte of a pause, since the page makes none and the server takes none.
//! Start reading at: `segment`, then `writer` and `reader`.

mod header;
mod reader;
mod redact;
mod segment;
mod writer;

pub use header::ScreenHeader;
pub use reader::{Part, ScreenPartError, ScreenReader, ScreenSpan};
pub use redact::redact_screen;
pub use segment::{CHUNK_BYTES_MAX, MEDIA_TYPE_BYTES_MAX};
pub use writer::{ScreenEnded, ScreenWriteError, ScreenWriter};
