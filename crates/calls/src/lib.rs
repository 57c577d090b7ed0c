//! One task per running call.
//! Owns: the call, its capture session and its arena slot; the payment reconciler.
//! Never: opens a socket, speaks HTTP or SQL; it reaches the world through `domain::boundary`.
//! Start reading at: `task`.
