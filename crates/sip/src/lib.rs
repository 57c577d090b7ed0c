//! SIP signalling without IO: messages, transactions, dialogs, the back-to-back user agent.
//! Owns: RFC 3261/6026 state, digest, the registrar, offer/answer.
//! Never: opens a socket, reads a clock, resolves a name or decides where a call goes.
//! Start reading at: `stack`.
