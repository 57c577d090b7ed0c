//! The acceptance table: which row is proven by which tests, and whether they passed in this run.
//! Owns: `docs/acceptance.toml` as it is read ([`map::Map`]), and its judgement by JUnit files.
//! Never: looks for a test in the sources; only a test that ran counts.

mod listing;
mod map;
mod row;
mod verdict;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::junit::Results;
use map::Map;

const MAP: &str = "docs/acceptance.toml";

/// Prints the table. Fails for a row of this or an earlier issue that is not proven, and for a map that does not fit its results.
pub(crate) fn judge(root: &Path, results: &Path) -> Result<ExitCode> {
    let map = Map::parse(&read(root)?).context(MAP)?;
    let judgement = verdict::judge(&map, &Results::read(results)?);
    crate::print(&judgement.to_string());
    Ok(if judgement.is_right() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Lists tests that carry a row's id and are not in the map yet.
pub(crate) fn add(root: &Path, results: &Path) -> Result<ExitCode> {
    let text = read(root)?;
    let map = Map::parse(&text).context(MAP)?;
    let unlisted = listing::unlisted(&map, &Results::read(results)?);
    for (row, test) in &unlisted {
        crate::print(&format!("{row}  {test}\n"));
    }
    let path = root.join(MAP);
    fs::write(&path, listing::insert(&text, &unlisted)?)
        .with_context(|| format!("writing {}", path.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn read(root: &Path) -> Result<String> {
    fs::read_to_string(root.join(MAP)).with_context(|| format!("reading {MAP}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_map_has_every_row() {
        super::Map::parse(&super::read(&crate::root()).unwrap()).unwrap();
    }
}
