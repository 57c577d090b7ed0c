//! Tables as CSV (RFC 4180).
//! Owns: quoting, and what keeps a spreadsheet from running a cell.
//! Never: lets a card number out: a text that holds one is left out whole (S15).

use domain::payment::holds_card_number;

/// Tells spreadsheets that the text is UTF-8.
pub(crate) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Stands for a text that holds a card number.
const REMOVED: &str = "[card number removed]";

/// A value of a row.
pub(crate) enum Cell<'a> {
    /// What people, phones or gateways wrote.
    Text(&'a str),
    /// What this program made: numbers, times, identities, words of closed lists.
    Own(String),
}

/// A row with its line end.
pub(crate) fn line(cells: &[Cell<'_>]) -> String {
    let quoted: Vec<String> = cells.iter().map(quoted).collect();
    format!("{}\r\n", quoted.join(","))
}

fn quoted(cell: &Cell<'_>) -> String {
    let text = match cell {
        Cell::Text(text) if holds_card_number(text) => REMOVED,
        Cell::Text(text) => text,
        Cell::Own(text) => text,
    };
    let guard = if is_formula(text) { "'" } else { "" };
    format!(
        "\"{guard}{}\"",
        text.replace('"', "\"\"").replace('\0', " ")
    )
}

/// A spreadsheet would run it, or might once it has trimmed it. The wide forms count too.
fn is_formula(text: &str) -> bool {
    let begins = |c: char| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> String {
        line(&[Cell::Text(text)])
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for formula in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            " =1+1",
            "\t=1",
            "\r=1",
            "\n=1",
            "＝1+1",
            "=HYPERLINK(\"http://x\",\"y\")",
        ] {
            assert!(cell(formula).starts_with("\"'"), "{formula}");
        }
        assert_eq!(cell("a=b - c"), "\"a=b - c\"\r\n");
        assert_eq!(line(&[Cell::Own("-5".to_owned())]), "\"'-5\"\r\n");
    }

    #[test]
    fn quotes_commas_and_line_breaks_stay_in_their_cell() {
        let cells = [
            Cell::Text("a\"b,c\nd"),
            Cell::Text(""),
            Cell::Own("7".to_owned()),
        ];
        assert_eq!(line(&cells), "\"a\"\"b,c\nd\",\"\",\"7\"\r\n");
    }

    #[test]
    fn a_text_with_a_card_number_is_left_out_whole() {
        for text in [
            "4111111111111111",
            "paid 4111 1111 1111 1111 thanks",
            "=4111-1111-1111-1111",
            "x 3782 822463 10005",
        ] {
            assert_eq!(cell(text), "\"[card number removed]\"\r\n", "{text}");
        }
    }
}
