//! `tonewall verify FILE`: whether a file is the evidence of a capture, and what it says.
//! Owns: what is printed of it.
//! Never: reaches for a server, a database or a key other than those in the file of public keys.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use domain::boundary::EgressSeen;
use domain::evidence::{Evidence, Proven};
use domain::recording::RecordingFinds;
use store::{EVIDENCE_BYTES_MAX, verify_evidence};

/// Verifies a file and prints its entries. Yields whether it is evidence.
///
/// # Errors
/// One of the files cannot be read.
pub(crate) fn run(file: &Path, keys: &Path) -> Result<bool> {
    let keys = read(keys)?;
    match verify_evidence(&read(file)?, &keys) {
        Ok((evidence, entries)) => {
            for line in lines(&evidence, &entries) {
                crate::print_line(&plain(&line));
            }
            Ok(true)
        }
        Err(error) => {
            let told = plain(&error.to_string());
            crate::print_line(&format!("{}: NOT VERIFIED: {told}", file.display()));
            Ok(false)
        }
    }
}

/// A stranger's file says some of it: nothing of that moves the cursor or clears a line.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() {
            plain.extend(letter.escape_default());
        } else {
            plain.push(letter);
        }
    }
    plain
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path)
        .with_context(|| format!("{} cannot be opened", path.display()))?;
    let limit = u64::try_from(EVIDENCE_BYTES_MAX).unwrap_or(u64::MAX) + 1;
    let mut bytes = Vec::new();
    file.take(limit)
        .read_to_end(&mut bytes)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    if bytes.is_empty() {
        bail!("{} is empty", path.display());
    }
    Ok(bytes)
}

/// One line of what it is, and one for each entry: time, number in its chain, who, what, facts.
fn lines(evidence: &Evidence, entries: &[Proven]) -> Vec<String> {
    let ended = if Evidence::is_complete(entries) {
        "ended"
    } else {
        "had not ended yet"
    };
    let head = format!(
        "VERIFIED: capture {}, {} entries, {ended}; exported {} by {}",
        evidence.capture,
        entries.len(),
        evidence.exported_at.utc_text(),
        evidence.exported_by,
    );
    let line = |Proven { seq, chain, entry }: &Proven| {
        let facts = match entry.detail.as_object() {
            Some(facts) if facts.is_empty() => String::new(),
            _ => format!(" {}", entry.detail),
        };
        let (at, action) = (entry.at.utc_text(), entry.action.name());
        format!("{at} {chain} #{seq} {} {action}{facts}", entry.actor)
    };
    std::iter::once(head)
        .chain(Evidence::egress(entries).map(guarded))
        .chain(Evidence::scanned(entries).map(scanned))
        .chain(entries.iter().map(line))
        .collect()
}

/// What the egress guard says of all protected spans together.
fn guarded(seen: EgressSeen) -> String {
    let EgressSeen {
        checked_ms,
        finds,
        trips,
    } = seen;
    let judged = format!(
        "{}.{:03} s of audio",
        checked_ms / 1_000,
        checked_ms % 1_000
    );
    match (finds, trips) {
        (0, 0) => format!("Egress guard: {judged} judged behind the mask, no key found"),
        _ => format!(
            "Egress guard: {judged} judged behind the mask, KEYS FOUND: {finds}, silences: {trips}"
        ),
    }
}

/// What scans of the call's recordings have found.
fn scanned(found: RecordingFinds) -> String {
    let RecordingFinds {
        masked_keys,
        paused_samples,
        unprotected_keys,
    } = found;
    match found.is_clean() {
        true => "Scan of the recording: nothing found".to_owned(),
        false => format!(
            "Scan of the recording: FOUND {masked_keys} keys behind the mask, {paused_samples} samples in pauses, {unprotected_keys} keys outside of protection"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guard_s_words_are_loud_where_it_found_something() {
        let seen = |finds, trips| EgressSeen {
            checked_ms: 12_034,
            finds,
            trips,
        };
        assert_eq!(
            guarded(seen(0, 0)),
            "Egress guard: 12.034 s of audio judged behind the mask, no key found"
        );
        assert!(guarded(seen(2, 1)).ends_with("KEYS FOUND: 2, silences: 1"));
        assert!(guarded(seen(0, 1)).contains("FOUND"));
        let found = |unprotected_keys| RecordingFinds {
            unprotected_keys,
            ..RecordingFinds::default()
        };
        assert_eq!(scanned(found(0)), "Scan of the recording: nothing found");
        assert!(scanned(found(16)).contains("FOUND"));
    }

    #[test]
    fn what_a_file_says_does_not_act_on_a_terminal() {
        assert_eq!(
            plain("signed by \u{1b}[2K\rVERIFIED\n\u{9b}1Aé"),
            "signed by \\u{1b}[2K\\rVERIFIED\\n\\u{9b}1Aé"
        );
    }
}
