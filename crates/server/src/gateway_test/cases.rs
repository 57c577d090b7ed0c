//! Saved cases in a folder, a file each.
//! Owns: their files, and what each comes to.
//! Never: judges by rules of its own, or writes over a case that is there.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use domain::gateway::case::{Case, CheckedCase, Expected};
use domain::gateway::trial::Judgement;
use domain::gateway::{GatewayConfig, Mapping, OperationKind};
use domain::payment::Outcome;

/// Longest name of a case.
const NAME_BYTES_MAX: usize = 100;

/// An answer with what it comes to now.
///
/// # Errors
/// It cannot be judged or kept.
pub(super) fn of_answer(
    gateway: &GatewayConfig,
    operation: Option<OperationKind>,
    status: u16,
    headers: Vec<Mapping>,
    body: String,
) -> Result<Case> {
    let mut case = Case {
        name: String::new(),
        operation,
        status,
        headers,
        body,
        expected: Expected {
            outcome: Outcome::Unknown,
            message: String::new(),
            outputs: Default::default(),
        },
    };
    refuse(&case, "the answer")?;
    case.expected = Expected::of(&judgement(&case, gateway)?);
    Ok(case)
}

/// What the answer of a case comes to.
///
/// # Errors
/// It is of an operation that the configuration does not have.
pub(super) fn judgement(case: &Case, gateway: &GatewayConfig) -> Result<Judgement> {
    let judged = ::gateway::judge(gateway, &case.pasted(), true);
    judged.with_context(|| {
        let kind = case.operation.map_or("", OperationKind::as_str);
        let path = case.operation.map_or_else(String::new, OperationKind::path);
        format!("the configuration has no operation {kind}: write it under {path}")
    })
}

fn refuse(case: &Case, what: &str) -> Result<()> {
    match case.problems().first() {
        Some(problem) => bail!("{what}: {}: {}", problem.field, problem.message),
        None => Ok(()),
    }
}

/// Writes a case. Yields its file.
///
/// # Errors
/// Its name is none, it is there already, or cannot be written.
pub(super) fn save(folder: &Path, name: &str, case: &Case) -> Result<PathBuf> {
    let is_name = (1..=NAME_BYTES_MAX).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !is_name {
        bail!("--save-case {name:?}: a name has letters, digits, - and _");
    }
    let path = folder.join(format!("{name}.toml"));
    let wrong = || format!("{} cannot be written", path.display());
    let text = toml::to_string_pretty(case).with_context(wrong)?;
    std::fs::create_dir_all(folder).with_context(wrong)?;
    if path.exists() {
        bail!(
            "{} is there already; choose another name, or remove it first",
            path.display()
        );
    }
    std::fs::write(&path, text).with_context(wrong)?;
    Ok(path)
}

/// Judges all cases of a folder, in the order of their names.
///
/// # Errors
/// A file is no case, or there is none.
pub(super) fn run(folder: &Path, gateway: &GatewayConfig) -> Result<Vec<CheckedCase>> {
    let mut paths = Vec::new();
    let entries = std::fs::read_dir(folder);
    for entry in entries.with_context(|| format!("{} cannot be read", folder.display()))? {
        let path = entry?.path();
        let ends = path.extension().and_then(|end| end.to_str());
        if matches!(ends, Some("toml" | "json")) {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        bail!(
            "{} holds no case: no file that ends in .toml or .json",
            folder.display()
        );
    }
    paths.iter().map(|path| check(path, gateway)).collect()
}

fn check(path: &Path, gateway: &GatewayConfig) -> Result<CheckedCase> {
    let text = super::input::text(path)?;
    let read = ::gateway::read_case(&text);
    let case = read.map_err(|problem| anyhow::anyhow!("{}:{problem}", path.display()))?;
    refuse(&case, &path.display().to_string())?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let judgement = judgement(&case, gateway).with_context(|| path.display().to_string())?;
    Ok(CheckedCase {
        name: name.into_owned(),
        ..case.checked(&judgement)
    })
}

/// Judges the cases that a configuration holds itself.
///
/// # Errors
/// One is of an operation that the configuration does not have.
pub(super) fn own(gateway: &GatewayConfig) -> Result<Vec<CheckedCase>> {
    let cases = gateway.more.cases.iter();
    let checked = cases.map(|case| Ok(case.checked(&judgement(case, gateway)?)));
    checked.collect()
}
