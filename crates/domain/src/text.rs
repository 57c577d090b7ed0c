//! Text from outside, made fit to be shown.
//! Owns: which characters may not pass: controls, marks that change a line's direction, and what draws nothing.
//! Never: believes what it says, or looks for digits in it.

/// One line of plain text of at most `chars_max` characters: characters that draw nothing or change the direction of others are gone, blanks and
/// line ends are folded into one blank, none is at an end.
#[must_use]
pub fn plain_line(text: &str, chars_max: usize) -> String {
    // One allocation: what may be secret is not left behind in memory by a string that grew.
    let mut line = String::with_capacity(text.len().min(chars_max.saturating_mul(4)));
    for c in text.chars().filter(|&c| !is_invisible(c)).take(chars_max) {
        let blank = c.is_whitespace();
        match (blank, line.ends_with(' ') || line.is_empty()) {
            (false, _) => line.push(c),
            (true, false) => line.push(' '),
            (true, true) => {}
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Draws nothing, or changes the direction of others (Unicode `Default_Ignorable_Code_Point` and `Bidi_Control`), or is a control that is no blank.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
        || (c.is_control() && !c.is_whitespace())
}

/// The value, 0-9, of a digit of the Latin, Arabic, Persian or Devanagari script or of full width.
#[must_use]
pub fn digit_of(c: char) -> Option<u8> {
    let zero = match c {
        '0'..='9' => '0',
        '\u{660}'..='\u{669}' => '\u{660}',
        '\u{6F0}'..='\u{6F9}' => '\u{6F0}',
        '\u{966}'..='\u{96F}' => '\u{966}',
        '\u{FF10}'..='\u{FF19}' => '\u{FF10}',
        _ => return None,
    };
    u8::try_from(u32::from(c) - u32::from(zero)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_or_turns_text_is_gone_and_blanks_are_one() {
        for (text, line) in [
            ("Jane Roe", "Jane Roe"),
            ("  a\r\n\t b\u{7}c ", "a bc"),
            // Shown without this it would read "555-0100 (Bank)".
            ("\u{202E}(knaB) 0010-555\u{202C}", "(knaB) 0010-555"),
            ("4\u{200B}1\u{2066}1\u{FEFF}1", "4111"),
            (
                "\u{2028}Zo\u{eb} \u{5d0}\u{5d1}\u{2029}",
                "Zo\u{eb} \u{5d0}\u{5d1}",
            ),
            ("\u{E0041}\u{E0042}", ""),
            ("", ""),
        ] {
            assert_eq!(plain_line(text, 64), line, "{}", text.escape_unicode());
        }
    }

    #[test]
    fn a_flood_is_cut() {
        assert_eq!(plain_line(&"x".repeat(10_000), 64).len(), 64);
        assert_eq!(plain_line(&"\u{1F600}".repeat(100), 64).chars().count(), 64);
    }
}
