//! The document type declaration of a reply in XML.
//! Owns: which one may be passed over.
//! Never: opens what one names, or takes a declaration from one.

use super::hunt::Malformed;

/// What may stand between the parts of a declaration: `S` of XML 1.0.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// Passes over a declaration that only names an external file, `r PUBLIC "-//..." "http://..."` or `r SYSTEM "..."`, which nobody opens. One that declares
/// something itself makes the reply unreadable; so does one of HTML, which is an error page whatever else it holds.
pub(crate) fn pass_over(declaration: &str) -> Result<(), Malformed> {
    let (name, rest) = word(declaration.trim_matches(BLANKS))?;
    let (kind, rest) = word(rest)?;
    let literals = match kind {
        "SYSTEM" => 1,
        "PUBLIC" => 2,
        _ => return Err(Malformed),
    };
    if name.eq_ignore_ascii_case("html") {
        return Err(Malformed);
    }
    let end = (0..literals).try_fold(rest, |rest, _| literal(rest))?;
    if end.is_empty() {
        Ok(())
    } else {
        Err(Malformed)
    }
}

/// A name and what follows it after blanks.
fn word(text: &str) -> Result<(&str, &str), Malformed> {
    let end = text.find(BLANKS).ok_or(Malformed)?;
    let (word, rest) = text.split_at(end);
    match word.contains(['[', ']', '"', '\'', '<', '>']) {
        true => Err(Malformed),
        false => Ok((word, rest.trim_start_matches(BLANKS))),
    }
}

/// What follows a quoted text and the blanks after it.
fn literal(text: &str) -> Result<&str, Malformed> {
    let quote = text
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\''))
        .ok_or(Malformed)?;
    let inner = &text[1..];
    let end = inner.find(quote).ok_or(Malformed)?;
    Ok(inner[end + 1..].trim_start_matches(BLANKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_that_names_an_external_file_is_passed_over() {
        for (declaration, passed) in [
            (r#"r SYSTEM "http://192.0.2.1/x.dtd""#, true),
            (r#" r  SYSTEM 'x.dtd' "#, true),
            ("r PUBLIC \"-//A//DTD [v1]//EN\"\n\"x.dtd\"", true),
            (r#"r PUBLIC "-//A//EN""#, false),
            (r#"r SYSTEM "x" "y""#, false),
            (r#"r SYSTEM "x.dtd" [<!ENTITY a "b">]"#, false),
            (r#"r SYSTEM "x.dtd" []"#, false),
            (r#"r [<!ENTITY x SYSTEM "file:///etc/passwd">]"#, false),
            (r#"r[ SYSTEM "x""#, false),
            (r#"r system "x""#, false),
            (r#"r SYSTEM "x"#, false),
            (r#"r SYSTEM x"#, false),
            ("r SYSTEM", false),
            ("r", false),
            ("", false),
            ("html", false),
            (
                r#"HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd""#,
                false,
            ),
        ] {
            assert_eq!(pass_over(declaration).is_ok(), passed, "{declaration}");
        }
    }
}
