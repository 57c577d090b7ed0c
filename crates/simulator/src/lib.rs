//! A consumer's phone, an agent's phone and a scripted sandbox gateway.
//! Owns: calls and answers that look like the real world to the server.
//! Never: runs inside the server process.
//! Start reading at: `scenario`.
