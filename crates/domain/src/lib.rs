//! The business rules of payment capture.
//! Owns: the capture machine, widgets, gateways, payments, rights, audit, and the traits where shells meet.
//! Never: does IO, reads a clock, or holds a digit outside a secret type.
//! Start reading at: `capture` and `boundary`.
