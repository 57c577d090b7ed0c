//! How tests ended, as JUnit files.
//! Owns: running a suite and writing its files ([`record`]), and reading every suite's files again ([`Results`]).
//! Never: judges what a result means.

mod lines;
mod record;
mod results;

pub(crate) use record::record;
pub(crate) use results::{Results, Verdict};
