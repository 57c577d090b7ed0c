//! `Replaces` (RFC 3891): which dialog a call is to take the place of.

use std::fmt;

use super::lex;
use super::limits::ID_BYTES_MAX;
use super::params::Params;

/// The dialog that an INVITE is to replace, as the far side of that dialog's owner names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaces {
    /// Its Call-ID.
    pub call_id: String,
    /// The tag of whoever gets the INVITE.
    pub to_tag: String,
    /// The tag of that one's far side.
    pub from_tag: String,
    /// Only if it is not answered yet.
    pub early_only: bool,
}

impl Replaces {
    /// Reads a value: a Call-ID, and each tag exactly once, in any order ([RFC 3891](https://www.rfc-editor.org/rfc/rfc3891) section 6.1). `None` if it breaks that.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (call_id, params) = lex::split_once(value, b';')?;
        let call_id = lex::trim(call_id);
        let is_word = |byte: &u8| byte.is_ascii_graphic() && *byte != b',';
        if call_id.is_empty() || !call_id.iter().all(is_word) || call_id.len() > ID_BYTES_MAX {
            return None;
        }
        let params = Params::parse(params)?;
        Some(Self {
            call_id: str::from_utf8(call_id).ok()?.to_owned(),
            to_tag: tag(&params, "to-tag")?,
            from_tag: tag(&params, "from-tag")?,
            early_only: params.contains("early-only"),
        })
    }
}

/// The tag of this name, which is there once.
fn tag(params: &Params, name: &str) -> Option<String> {
    let mut named = params
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name));
    let (first, second) = (named.next()?.1?, named.next());
    let is_fit = second.is_none() && lex::is_token(first.as_bytes()) && first.len() <= ID_BYTES_MAX;
    is_fit.then(|| first.to_owned())
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            call_id,
            to_tag,
            from_tag,
            ..
        } = self;
        write!(f, "{call_id};to-tag={to_tag};from-tag={from_tag}")?;
        if self.early_only {
            f.write_str(";early-only")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_in_any_order_and_go_out_in_one() {
        let read = Replaces::parse(b"98@h ; from-tag=r33 ;to-tag=8;x=1;early-only").expect("valid");
        assert_eq!(read.to_string(), "98@h;to-tag=8;from-tag=r33;early-only");
        assert_eq!(Replaces::parse(read.to_string().as_bytes()), Some(read));
    }

    #[test]
    fn what_does_not_name_one_dialog_is_refused() {
        let long = format!("{};to-tag=1;from-tag=2", "x".repeat(ID_BYTES_MAX + 1));
        for text in [
            "",
            "x",
            ";to-tag=1;from-tag=2",
            "x;to-tag=1",
            "x;to-tag=1;to-tag=1;from-tag=2",
            "x;to-tag;from-tag=2",
            "x;to-tag=\"1\";from-tag=2",
            "x;to-tag=1;from-tag=2, y;to-tag=1;from-tag=2",
            "x y;to-tag=1;from-tag=2",
            "x;;to-tag=1;from-tag=2",
            &long,
        ] {
            assert_eq!(Replaces::parse(text.as_bytes()), None, "{text}");
        }
    }
}
