//! The telephone side of the process.
//! Owns: SIP transports, RTP sockets, media threads.
//! Never: decides routing, stores anything, or lets a packet pass the mask.
//! Start reading at: `node`.
