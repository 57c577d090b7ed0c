//! Lengths: no file past 700 lines, no function past 70.

use super::{Finding, Source};

const FILE_LINES_MAX: usize = 700;
const FUNCTION_LINES_MAX: usize = 70;

pub(super) fn judge(source: &Source, findings: &mut Vec<Finding>) {
    let lines = source.text.lines().count();
    if lines > FILE_LINES_MAX {
        findings.push(Finding::new(
            &source.path,
            0,
            format!("{lines} lines; split it by noun before {FILE_LINES_MAX}"),
        ));
    }
    let mut open: Option<(usize, usize)> = None;
    for (index, line) in source.text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        match open {
            None if begins_function(line)
                && !line.trim_end().ends_with('}')
                && !line.trim_end().ends_with(';') =>
            {
                open = Some((index, indent));
            }
            Some((_, at)) if indent == at && is_end_of_declaration(line) => open = None,
            Some((start, at)) if indent == at && line.trim_start().starts_with('}') => {
                let length = index - start + 1;
                if length > FUNCTION_LINES_MAX {
                    let what =
                        format!("a function of {length} lines; {FUNCTION_LINES_MAX} is the most");
                    findings.push(Finding::new(&source.path, start + 1, what));
                }
                open = None;
            }
            _ => {}
        }
    }
}

/// A function of a trait, declared over several lines, ends with ";" and has no body.
fn is_end_of_declaration(line: &str) -> bool {
    let words = line.trim();
    words.ends_with(';') && (words == ";" || words.starts_with(')'))
}

fn begins_function(line: &str) -> bool {
    let words = line.trim_start();
    let words = words.strip_prefix("pub ").unwrap_or(words);
    let words = words
        .strip_prefix("pub(crate) ")
        .or_else(|| words.strip_prefix("pub(super) "))
        .unwrap_or(words);
    let words = words.strip_prefix("const ").unwrap_or(words);
    let words = words.strip_prefix("async ").unwrap_or(words);
    words.starts_with("fn ")
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;

    fn judged(text: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        judge(&source("crates/x/src/a.rs", text), &mut findings);
        findings
    }

    #[test]
    fn a_function_of_71_lines_is_found() {
        let body = "    let _ = 1;\n";
        let text = |lines: usize| {
            format!(
                "impl A {{\n    pub fn a() {{\n{}    }}\n}}\n",
                body.repeat(lines)
            )
        };
        assert_eq!(judged(&text(68)), []);
        assert_eq!(judged(&text(69)).len(), 1);
    }

    #[test]
    fn a_declaration_has_no_body_to_count() {
        let rest = "    // more\n".repeat(71);
        let text = format!(
            "trait A {{\n    fn a(\n        &self,\n    ) -> u8;\n}}\nenum B {{\n{rest}    C {{\n    }},\n}}\n"
        );
        assert_eq!(judged(&text), []);
    }

    #[test]
    fn a_file_of_701_lines_is_found() {
        assert_eq!(judged(&"\n".repeat(701)).len(), 1);
    }
}
