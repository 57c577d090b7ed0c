//! Recording bytes at rest.
//! Owns: segments, their encryption, spans and retention.
//! Never: hears audio before the mask.
//! Start reading at: the crate root: the recordings issue fills this room.
