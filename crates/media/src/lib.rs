//! Media without IO: RTP, G.711, DTMF, the mask.
//! Owns: what the agent and the recorder may hear.
//! Never: opens a socket, reads a clock, allocates per packet, or lets audio out before the mask.
//! Start reading at: `relay`.
