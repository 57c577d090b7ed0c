//! Calls through a node over real sockets.

mod phone;
mod scene;
mod talker;

mod protection;
mod signalling;
