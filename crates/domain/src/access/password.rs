//! Passwords of users.
//! Owns: what a new one must be (SETTLED S22).
//! Never: stores, hashes or compares one.

/// Fewest characters.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// The last so many passwords are not taken again.
pub const PASSWORDS_REFUSED: usize = 4;
/// Most bytes: a hash function should not be fed a book.
pub const PASSWORD_BYTES_MAX: usize = 200;

/// What is wrong with a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordProblem {
    /// Fewer than [`PASSWORD_CHARS_MIN`] characters.
    #[error("a password has at least {PASSWORD_CHARS_MIN} characters")]
    TooShort,
    /// More than [`PASSWORD_BYTES_MAX`] bytes.
    #[error("a password has at most {PASSWORD_BYTES_MAX} characters")]
    TooLong,
    /// No letter.
    #[error("a password has at least one letter")]
    NoLetter,
    /// No digit.
    #[error("a password has at least one digit")]
    NoDigit,
}

/// Judges a new password.
///
/// # Errors
/// The first rule that it breaks.
pub fn check(password: &str) -> Result<(), PasswordProblem> {
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(PasswordProblem::TooShort);
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(PasswordProblem::TooLong);
    }
    if !password.chars().any(char::is_alphabetic) {
        return Err(PasswordProblem::NoLetter);
    }
    if !password.chars().any(char::is_numeric) {
        return Err(PasswordProblem::NoDigit);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_characters_with_letters_and_digits_are_needed() {
        for (password, expected) in [
            ("correct horse 7", Ok(())),
            ("abcdefghijk1", Ok(())),
            ("abcdefghij1", Err(PasswordProblem::TooShort)),
            ("", Err(PasswordProblem::TooShort)),
            ("abcdefghijkl", Err(PasswordProblem::NoDigit)),
            ("123456789012", Err(PasswordProblem::NoLetter)),
            (&*("a1".repeat(101)), Err(PasswordProblem::TooLong)),
        ] {
            assert_eq!(check(password), expected, "{password}");
        }
    }
}
