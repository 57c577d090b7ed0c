//! Sees to it that a release carries the page.
//! Owns: that one check.
//! Never: runs npm or writes into the source tree.

fn main() {
    println!("cargo::rerun-if-changed=../../ui/dist");
    println!("cargo::rerun-if-env-changed=PROFILE");
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let page = std::path::Path::new("../../ui/dist/index.html");
    if release && !page.is_file() {
        println!(
            "cargo::error=ui/dist is missing, so a release would have no page: run `make ui` first"
        );
    }
}
