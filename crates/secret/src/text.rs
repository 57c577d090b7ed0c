//! Text that is a credential.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A password, a key or a header value. Zeroized on drop; prints as `[secret]`.
///
/// It is not `Clone`: share it in an `Arc`. Comparing takes a time that depends on the lengths only.
///
/// ```compile_fail,E0277
/// println!("{}", secret::SecretText::new(String::from("x")));
/// ```
///
/// ```compile_fail,E0599
/// let copy = secret::SecretText::new(String::from("x")).clone();
/// ```
///
/// ```compile_fail,E0308
/// let text: &str = &secret::SecretText::new(String::from("x"));
/// ```
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes over the string as it is; no byte is copied. The caller should keep no other copy.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text. Each caller outside this crate is on the reviewed list.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it has no characters; a credential field that was left blank.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for SecretText {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for SecretText {}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(of: &str) -> SecretText {
        SecretText::new(of.to_owned())
    }

    #[test]
    fn equality_is_that_of_the_text() {
        assert!(text("canary") == text("canary"));
        assert!(text("canary") != text("canarz"));
        assert!(text("canary") != text("canary1"));
        assert!(text("") == text("") && text("").is_empty());
    }

    #[test]
    fn debug_shows_no_character() {
        assert_eq!(
            format!("{:?} {:#?}", text("canary"), text("canary")),
            "[secret] [secret]"
        );
    }

    #[test]
    fn the_string_is_taken_over_without_a_copy() {
        let string = String::with_capacity(64) + "canary";
        let before = string.as_ptr();
        assert_eq!(SecretText::new(string).expose().as_ptr(), before);
    }
}
