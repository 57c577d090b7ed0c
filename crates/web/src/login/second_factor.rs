//! Codes of authenticator apps (RFC 6238).
//! Owns: their secrets' form, the check of a code, what an app is told at set-up.
//! Never: takes a code twice; who keeps the step that is answered here sees to that.

use domain::time::UnixMillis;
use rand::TryRngCore;
use secret::SecretText;
use totp_rs::{Algorithm, Builder, Secret, Totp};

/// Bytes of a secret: as many as the hash has (RFC 4226 section 4).
const SECRET_BYTES: usize = 20;
/// Seconds of a step.
const STEP_S: u64 = 30;
/// Steps before and after the present one whose codes are taken, for clocks that differ.
const STEPS_APART_MAX: u16 = 1;
/// Digits of a code.
const DIGITS: u8 = 6;
/// Longest text that is looked at: apps write blanks between the digits.
const CODE_BYTES_MAX: usize = 16;
/// What an app shows above the user's name.
const ISSUER: &str = "Tonewall";

/// A new secret in base 32; none if the system has no random numbers.
pub(crate) fn new_secret() -> Option<SecretText> {
    let mut bytes = vec![0_u8; SECRET_BYTES];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).ok()?;
    Some(SecretText::new(Secret::from(bytes).to_base32()))
}

fn totp(secret: &SecretText) -> Option<Totp> {
    let secret = Secret::try_from_base32(secret.expose()).ok()?;
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(DIGITS)
        .with_skew(STEPS_APART_MAX)
        .with_step_duration(STEP_S)
        .with_secret(secret)
        .build()
        .ok()
}

/// The time step of a code, if it is right now and later than the step of the last code that was taken.
pub(crate) fn step_of(
    secret: &SecretText,
    code: &str,
    last_step: Option<u64>,
    now: UnixMillis,
) -> Option<u64> {
    if code.len() > CODE_BYTES_MAX {
        return None;
    }
    let code: String = code.chars().filter(|char| !char.is_whitespace()).collect();
    let seconds = u64::try_from(now.0 / 1_000).ok()?;
    let step = totp(secret)?.check(&code, seconds)?;
    (last_step.is_none_or(|last| step > last)).then_some(step)
}

/// What an app reads from the picture or the link.
pub(crate) fn link(secret: &SecretText, user: &str) -> String {
    // Login names hold letters, digits, '.', '-', '_' and '@' only, of which '@' is written as it is in a path.
    let base32 = secret.expose();
    format!("otpauth://totp/{ISSUER}:{user}?secret={base32}&issuer={ISSUER}")
}

/// The link as a picture: rows of '1' for dark and '0' for light.
pub(crate) fn picture(link: &str) -> Vec<String> {
    use qrcodegen::{QrCode, QrCodeEcc};
    let Ok(code) = QrCode::encode_text(link, QrCodeEcc::Medium) else {
        return Vec::new();
    };
    let row = |y| {
        let module = |x| if code.get_module(x, y) { '1' } else { '0' };
        (0..code.size()).map(module).collect()
    };
    (0..code.size()).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238 appendix B, "12345678901234567890".
    fn secret() -> SecretText {
        SecretText::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned())
    }

    fn step(code: &str, seconds: i64, last: Option<u64>) -> Option<u64> {
        step_of(&secret(), code, last, UnixMillis(seconds * 1_000))
    }

    #[test]
    fn s22_the_codes_are_those_of_the_rfc() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            let expected = u64::try_from(seconds / 30).unwrap();
            assert_eq!(step(code, seconds, None), Some(expected));
        }
        assert!(step("287 082", 59, None).is_some(), "as apps show it");
    }

    #[test]
    fn s22_a_code_holds_one_step_before_and_after_its_own() {
        for (seconds, holds) in [
            (29, true),
            (30, true),
            (89, true),
            (90, false),
            (119, false),
        ] {
            assert_eq!(step("287082", seconds, None).is_some(), holds, "{seconds}");
        }
    }

    #[test]
    fn s22_a_code_is_taken_once_and_none_before_it() {
        assert_eq!(step("287082", 59, Some(0)), Some(1));
        assert_eq!(step("287082", 59, Some(1)), None);
        assert_eq!(step("287082", 59, Some(2)), None);
    }

    #[test]
    fn what_is_no_code_is_wrong() {
        for code in [
            "",
            "28708",
            "2870820",
            "28708a",
            "２８７０８２",
            "+287082",
            "287082287082287082",
        ] {
            assert_eq!(step(code, 59, None), None, "{code}");
        }
    }

    #[test]
    fn a_secret_has_160_bits_and_its_link_and_picture_name_it() {
        let secret = new_secret().unwrap();
        assert_eq!(secret.expose().len(), 32);
        let link = link(&secret, "a.kim");
        assert!(link.starts_with("otpauth://totp/Tonewall:a.kim?secret="));
        let picture = picture(&link);
        assert!(picture.len() >= 29 && picture.iter().all(|row| row.len() == picture.len()));
        assert!(picture[0].starts_with("1111111"));
    }
}
