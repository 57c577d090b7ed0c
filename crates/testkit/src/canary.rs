//! Numbers to look for: made anew for every run, so that no document, fixture or binary holds them.
//! Owns: canary cards and accounts.
//! Never: a published test number, or a real one.

/// Digits of a canary that the gateway and the machine accept: a Visa-looking prefix, ten random digits, the check digit.
#[must_use]
pub fn card(random: u64) -> String {
    let body = format!("41{:013}", random % 10_000_000_000_000);
    let check = luhn_digit(&body);
    format!("{body}{check}")
}

/// A security code. Three digits are too few to search for; runs are compared instead.
#[must_use]
pub fn security_code(random: u64) -> String {
    format!("{:03}", random % 1_000)
}

/// An account number of 12 digits.
#[must_use]
pub fn account(random: u64) -> String {
    format!("7{:011}", random % 100_000_000_000)
}

fn luhn_digit(body: &str) -> u32 {
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            let doubled = if place % 2 == 0 { digit * 2 } else { digit };
            doubled / 10 + doubled % 10
        })
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_passes_the_check_that_published_numbers_pass() {
        assert_eq!(luhn_digit("411111111111111"), 1);
        assert_eq!(luhn_digit("37828224631000"), 5);
        assert_eq!(card(123_456_789_012).len(), 16);
    }
}
