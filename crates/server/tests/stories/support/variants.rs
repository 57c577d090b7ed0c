//! Builds of the same program with a defect: a guard that stays green with one is no guard.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;

use super::house::TONEWALL;

/// The build with deliberate defects to choose from.
pub(crate) fn planted() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("planted", "tonewall-planted"))
}

/// The build without the allocator that zeroes what is freed.
pub(crate) fn plain() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("plain-allocator", "tonewall-plain"))
}

/// Builds beside the program under test. As part of the whole workspace: so its dependencies are those that `make test` has built.
fn build(feature: &str, binary: &str) -> PathBuf {
    let began = Instant::now();
    let folder = Path::new(TONEWALL).parent().unwrap();
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--workspace", "--bin", binary])
        .args([
            "--features",
            &format!("{}/{feature}", env!("CARGO_PKG_NAME")),
        ])
        .arg("--target-dir")
        .arg(folder.parent().unwrap())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(status.success(), "{binary} cannot be built");
    println!("{binary}: built in {:.1} s", began.elapsed().as_secs_f64());
    folder.with_file_name("debug").join(binary)
}
