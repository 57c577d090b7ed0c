//! Digits and credentials in memory.
//! Owns: the locked arena, the digit ring, zeroizing buffers, the words that stand for secrets.
//! Never: formats, logs, clones or sends a digit; knows nothing of cards or calls.
//! Start reading at: `arena`.
