//! Recording sessions, in the role of the client that has the media (RFC 7866, RFC 7865).
//! Owns: the body with two parts, the metadata, the two labelled streams, and how far one recording session is.
//! Never: holds audio or anything captured; says that a recorder has paused before the recorder has.
//! Start reading at: [`RecordingSession`].

mod metadata;
mod parts;
mod session;
mod streams;

pub use metadata::{Communication, CommunicationIds, Participant};
pub(crate) use parts::{METADATA_REQUEST, MULTIPART, session_part, write_parts};
pub use session::{RecordingFault, RecordingOutput, RecordingSession, Standing};
pub use streams::{LABELS, LocalStreams, Mode, RecordedStream, StreamsError};
