//! Names of header fields.

use std::fmt;

use super::lex;
use super::limits::HEADER_NAME_BYTES_MAX;

/// Name of a header field; compared without case, long and compact form alike.
#[derive(Debug, Clone)]
pub enum HeaderName {
    /// One this crate knows.
    Known(Known),
    /// Any other token, as it was written.
    Other(Box<str>),
}

macro_rules! names {
    ($($variant:ident $constant:ident $name:literal $compact:literal;)*) => {
        /// The header fields this crate has a word for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Known {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl HeaderName {
            $(#[doc = concat!("`", $name, "`")]
            pub const $constant: Self = Self::Known(Known::$variant);)*
        }

        impl Known {
            /// The long name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        /// Every known name: long form, compact form or nothing.
        const TABLE: &[(Known, &str, &str)] = &[$((Known::$variant, $name, $compact),)*];
    };
}

names! {
    Via VIA "Via" "v";
    From FROM "From" "f";
    To TO "To" "t";
    CallId CALL_ID "Call-ID" "i";
    CSeq CSEQ "CSeq" "";
    Contact CONTACT "Contact" "m";
    MaxForwards MAX_FORWARDS "Max-Forwards" "";
    ContentLength CONTENT_LENGTH "Content-Length" "l";
    ContentType CONTENT_TYPE "Content-Type" "c";
    ContentEncoding CONTENT_ENCODING "Content-Encoding" "e";
    ContentDisposition CONTENT_DISPOSITION "Content-Disposition" "";
    ContentLanguage CONTENT_LANGUAGE "Content-Language" "";
    MimeVersion MIME_VERSION "MIME-Version" "";
    Route ROUTE "Route" "";
    RecordRoute RECORD_ROUTE "Record-Route" "";
    Path PATH "Path" "";
    ServiceRoute SERVICE_ROUTE "Service-Route" "";
    Require REQUIRE "Require" "";
    ProxyRequire PROXY_REQUIRE "Proxy-Require" "";
    Supported SUPPORTED "Supported" "k";
    Unsupported UNSUPPORTED "Unsupported" "";
    Allow ALLOW "Allow" "";
    Accept ACCEPT "Accept" "";
    AcceptEncoding ACCEPT_ENCODING "Accept-Encoding" "";
    AcceptLanguage ACCEPT_LANGUAGE "Accept-Language" "";
    Expires EXPIRES "Expires" "";
    MinExpires MIN_EXPIRES "Min-Expires" "";
    Authorization AUTHORIZATION "Authorization" "";
    ProxyAuthorization PROXY_AUTHORIZATION "Proxy-Authorization" "";
    WwwAuthenticate WWW_AUTHENTICATE "WWW-Authenticate" "";
    ProxyAuthenticate PROXY_AUTHENTICATE "Proxy-Authenticate" "";
    AuthenticationInfo AUTHENTICATION_INFO "Authentication-Info" "";
    RetryAfter RETRY_AFTER "Retry-After" "";
    UserAgent USER_AGENT "User-Agent" "";
    Server SERVER "Server" "";
    Subject SUBJECT "Subject" "s";
    Date DATE "Date" "";
    Timestamp TIMESTAMP "Timestamp" "";
    Warning WARNING "Warning" "";
    Reason REASON "Reason" "";
    RSeq RSEQ "RSeq" "";
    RAck RACK "RAck" "";
    SessionExpires SESSION_EXPIRES "Session-Expires" "x";
    MinSe MIN_SE "Min-SE" "";
    ReferTo REFER_TO "Refer-To" "r";
    ReferredBy REFERRED_BY "Referred-By" "b";
    Replaces REPLACES "Replaces" "";
    Event EVENT "Event" "o";
    AllowEvents ALLOW_EVENTS "Allow-Events" "u";
    SubscriptionState SUBSCRIPTION_STATE "Subscription-State" "";
    AcceptContact ACCEPT_CONTACT "Accept-Contact" "a";
    RejectContact REJECT_CONTACT "Reject-Contact" "j";
    RequestDisposition REQUEST_DISPOSITION "Request-Disposition" "d";
    Identity IDENTITY "Identity" "y";
    PAssertedIdentity P_ASSERTED_IDENTITY "P-Asserted-Identity" "";
    PPreferredIdentity P_PREFERRED_IDENTITY "P-Preferred-Identity" "";
    Privacy PRIVACY "Privacy" "";
    Diversion DIVERSION "Diversion" "";
    UserToUser USER_TO_USER "User-to-User" "";
}

impl HeaderName {
    /// Reads a name in long or compact form; `None` if it is no token or longer than [`HEADER_NAME_BYTES_MAX`].
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        if !lex::is_token(text) || text.len() > HEADER_NAME_BYTES_MAX {
            return None;
        }
        let name = str::from_utf8(text).ok()?;
        Some(known(name).map_or_else(|| Self::Other(name.into()), Self::Known))
    }

    /// The long name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(known) => known.as_str(),
            Self::Other(name) => name,
        }
    }

    /// Whether the value is a credential that `Debug` must not show.
    pub(crate) fn is_credential(&self) -> bool {
        matches!(
            self,
            Self::Known(Known::Authorization | Known::ProxyAuthorization)
        )
    }
}

fn known(name: &str) -> Option<Known> {
    let hit = |(_, long, compact): &&(Known, &str, &str)| {
        long.eq_ignore_ascii_case(name) || (name.len() == 1 && compact.eq_ignore_ascii_case(name))
    };
    TABLE.iter().find(hit).map(|(known, _, _)| *known)
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Known(a), Self::Known(b)) => a == b,
            (Self::Other(a), Self::Other(b)) => a.eq_ignore_ascii_case(b),
            (Self::Known(_), Self::Other(_)) | (Self::Other(_), Self::Known(_)) => false,
        }
    }
}

impl Eq for HeaderName {}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An unknown token becomes [`HeaderName::Other`]; a text that is no token becomes the name `X-Invalid`.
impl From<&str> for HeaderName {
    fn from(name: &str) -> Self {
        Self::parse(name.as_bytes()).unwrap_or_else(|| Self::Other("X-Invalid".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_and_odd_case_names_are_the_same_name() {
        assert_eq!(HeaderName::parse(b"v"), Some(HeaderName::VIA));
        assert_eq!(HeaderName::parse(b"cALL-iD"), Some(HeaderName::CALL_ID));
        assert_eq!(
            HeaderName::parse(b"X-Tonewall-Call"),
            Some(HeaderName::from("x-tonewall-call"))
        );
        assert_eq!(HeaderName::parse(b"Bad Name"), None);
    }
}
