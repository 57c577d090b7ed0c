//! A table of bank names as a file has it: CSV (RFC 4180) with a header.
//! Owns: the columns, the limits, and what is wrong with which line.
//! Never: takes a part of a table, or keeps anything.

use serde::Serialize;

use super::{Bank, RoutingNumber};

/// Most bytes of a file: 30,000 rows of 60 bytes and more, with room.
pub const BANKS_BYTES_MAX: usize = 4 * 1_024 * 1_024;
/// Most rows: the United States have some 18,000 routing numbers in use.
pub const BANKS_MAX: usize = 40_000;
/// Problems that are told; a table that is wrong in more lines is wrong as a whole.
pub const PROBLEMS_MAX: usize = 20;
/// The first line.
const HEADER: [&str; 4] = ["routing", "bank_name", "city", "state"];
/// Longest name of a bank.
const NAME_CHARS_MAX: usize = 80;
/// Longest name of a city or a state.
const PLACE_CHARS_MAX: usize = 60;

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LineProblem {
    /// Its number, from 1.
    pub line: usize,
    /// What would be right.
    pub message: String,
}

/// The banks of a table, by number. Lines end with LF or CRLF; empty ones are passed over.
///
/// # Errors
/// The first [`PROBLEMS_MAX`] problems, by line. None of them repeats what the line holds.
pub fn parse_banks(text: &str) -> Result<Vec<Bank>, Vec<LineProblem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().enumerate();
    let header = lines.next().and_then(|(_, line)| cells(line));
    let header = header.unwrap_or_default();
    let is_header = header.iter().map(|cell| cell.trim().to_ascii_lowercase());
    if !is_header.eq(HEADER) {
        let message = format!("The first line is {}.", HEADER.join(","));
        return Err(vec![LineProblem { line: 1, message }]);
    }
    let mut banks: Vec<(usize, Bank)> = Vec::new();
    let mut problems = Vec::new();
    for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        match bank(line) {
            Ok(_) if banks.len() >= BANKS_MAX => {
                problems.push((number, format!("A table has at most {BANKS_MAX} rows.")));
            }
            Ok(bank) => banks.push((number, bank)),
            Err(message) => problems.push((number, message)),
        }
        if problems.len() >= PROBLEMS_MAX {
            break;
        }
    }
    banks.sort_by_key(|(_, bank)| bank.routing);
    let twice = banks
        .windows(2)
        .filter(|two| two[0].1.routing == two[1].1.routing);
    problems.extend(twice.map(|two| (two[1].0, "This number stands here twice.".to_owned())));
    if banks.is_empty() && problems.is_empty() {
        problems.push((0, "The table has no row.".to_owned()));
    }
    if problems.is_empty() {
        return Ok(banks.into_iter().map(|(_, bank)| bank).collect());
    }
    problems.sort_by_key(|(number, _)| *number);
    problems.truncate(PROBLEMS_MAX);
    let problem = |(number, message)| LineProblem {
        line: number + 1,
        message,
    };
    Err(problems.into_iter().map(problem).collect())
}

fn bank(line: &str) -> Result<Bank, String> {
    let cells = cells(line).ok_or("A cell's quotation marks do not match.")?;
    let [routing, name, city, state] = cells.as_slice() else {
        return Err(format!("A row has four cells: {}.", HEADER.join(",")));
    };
    // Spreadsheets take the zero at the beginning away.
    let routing = format!("{:0>9}", routing.trim());
    let routing: RoutingNumber = routing.parse().map_err(|error| format!("{error}."))?;
    let text = |text: &str, chars: std::ops::RangeInclusive<usize>| {
        let text = text.trim();
        let fits = chars.contains(&text.chars().count()) && !text.chars().any(char::is_control);
        fits.then(|| text.to_owned())
            .ok_or_else(|| format!("A bank's name has 1 to {NAME_CHARS_MAX} characters, city and state at most {PLACE_CHARS_MAX}."))
    };
    Ok(Bank {
        routing,
        name: text(name, 1..=NAME_CHARS_MAX)?,
        city: text(city, 0..=PLACE_CHARS_MAX)?,
        state: text(state, 0..=PLACE_CHARS_MAX)?,
    })
}

/// The cells of a line, without their quotation marks; none: these do not match. A cell does not go on over a line's end.
fn cells(line: &str) -> Option<Vec<String>> {
    let mut cells = Vec::new();
    let mut rest = line;
    loop {
        let (cell, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_cell(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let (cell, after) = rest.split_at(end);
                (!cell.contains('"')).then(|| (cell.to_owned(), after))?
            }
        };
        cells.push(cell);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return after.is_empty().then_some(cells),
        }
    }
}

/// A cell behind its first quotation mark, and what follows its last one.
fn quoted_cell(text: &str) -> Option<(String, &str)> {
    let mut cell = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        cell.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(next) => {
                cell.push('"');
                rest = next;
            }
            None => return Some((cell, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::fixtures::{ROUTING_NUMBERS, ROUTING_NUMBERS_WRONG_SUM};

    const ONE: &str = ROUTING_NUMBERS[0];
    const OTHER: &str = ROUTING_NUMBERS[1];

    fn table(lines: &[&str]) -> Result<Vec<Bank>, Vec<(usize, String)>> {
        let text = [&["routing,bank_name,city,state"], lines]
            .concat()
            .join("\n");
        let told = |problems: Vec<LineProblem>| {
            let told = problems.into_iter();
            told.map(|problem| (problem.line, problem.message))
                .collect()
        };
        parse_banks(&text).map_err(told)
    }

    fn lines_of(lines: &[&str]) -> Vec<usize> {
        let problems = table(lines).err().unwrap_or_default();
        problems.into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn a_table_is_read_as_spreadsheets_write_it() {
        let text = format!(
            "\u{feff}Routing,Bank_Name,City,State\r\n{ONE},\"Bank \"\"One\"\", N.A.\",\"New York\",NY\r\n\r\n{OTHER}, Second ,,\r\n"
        );
        let banks = parse_banks(&text).unwrap();
        assert_eq!(banks.len(), 2);
        let first = banks.iter().find(|bank| bank.routing.to_string() == ONE);
        let first = first.unwrap();
        assert_eq!(first.name, "Bank \"One\", N.A.");
        assert_eq!((&*first.city, &*first.state), ("New York", "NY"));
        assert!(banks.iter().any(|bank| bank.name == "Second"));
        let short = format!("{},Bank,,", ONE.trim_start_matches('0'));
        assert_eq!(table(&[&short]).unwrap()[0].routing.to_string(), ONE);
    }

    #[test]
    fn what_is_wrong_is_told_by_line_without_what_it_holds() {
        let bad_sum = format!("{},Bank,,", ROUTING_NUMBERS_WRONG_SUM[0]);
        let good = format!("{ONE},Bank,,");
        let again = format!("{ONE},Bank again,,");
        let long = format!("{OTHER},{},,", "x".repeat(81));
        let cases: [(&[&str], &[usize]); 8] = [
            (&[], &[1]),
            (&[&good, &bad_sum], &[3]),
            (&[&good, "", &again], &[4]),
            (&["1,2,3"], &[2]),
            (&[&good, "\"a,b", "x\"y,,,"], &[3, 4]),
            (&["\"a\"b,,,"], &[2]),
            (&[&long], &[2]),
            (&["021000021,\u{7},,"], &[2]),
        ];
        for (lines, expected) in cases {
            assert_eq!(lines_of(lines), expected, "{lines:?}");
        }
        let (_, message) = &table(&[&bad_sum]).unwrap_err()[0];
        assert!(!message.contains(ROUTING_NUMBERS_WRONG_SUM[0]));
    }

    #[test]
    fn a_header_is_needed_and_of_many_problems_twenty_are_told() {
        for text in ["", "021000021,Bank,,", "routing,bank_name\n"] {
            assert_eq!(parse_banks(text).unwrap_err()[0].line, 1, "{text}");
        }
        assert_eq!(lines_of(&["x"; 100]), (2..22).collect::<Vec<_>>());
    }

    #[test]
    fn a_table_has_at_most_40000_rows() {
        let numbers = (0..).map(|n| 10_000_000 + n).map(|eight: u32| {
            let digits = format!("{eight:08}");
            let sum: u32 = digits
                .bytes()
                .zip([3, 7, 1].into_iter().cycle())
                .map(|(digit, weight)| u32::from(digit - b'0') * weight)
                .sum();
            // The ninth digit has the weight 1.
            format!("{digits}{},Bank,,", (10 - sum % 10) % 10)
        });
        let lines: Vec<String> = numbers.take(BANKS_MAX + 1).collect();
        let lines: Vec<&str> = lines.iter().map(|line| &**line).collect();
        assert_eq!(table(&lines[..BANKS_MAX]).unwrap().len(), BANKS_MAX);
        assert_eq!(lines_of(&lines), [BANKS_MAX + 2]);
    }
}
