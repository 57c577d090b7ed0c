//! The way through a proxy that the server's file names: a tunnel by CONNECT ([RFC 9110 §9.3.6](https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6)).
//! Owns: the request for the tunnel, its answer's limits, the proxy's credentials.
//! Never: sends a byte of a charge, or repeats what a proxy says beyond its status.

use std::sync::Arc;

use domain::gateway::NotSentReason;
use secret::{BufferFull, SecretBuffer, SecretText};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use crate::failure::Failure;
use crate::policy::Origin;
use crate::request::push_base64;

/// Largest head of a proxy's answer: 16 KiB, as that of a gateway's. A longer one is no tunnel.
const HEAD_BYTES_MAX: usize = 16 * 1_024;

/// Longest user name of a proxy, and longest password, in bytes.
const CREDENTIAL_BYTES_MAX: usize = 256;

/// Largest request for a tunnel: a host of 255 bytes twice, and credentials in base64.
const REQUEST_BYTES_MAX: usize = 2_048;

/// A proxy, and who we are to it.
#[derive(Debug, Clone)]
pub struct Proxy {
    origin: Origin,
    credentials: Option<(String, Arc<SecretText>)>,
}

/// What a setting of a proxy must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// Not `http://host:port`.
    #[error("write http:// with a host and a port only, for example http://proxy.example:3128")]
    ConfigUrl,
    /// Empty, too long, or with a colon or a control character.
    #[error("write 1 to {CREDENTIAL_BYTES_MAX} printable characters without a colon")]
    ConfigUser,
    /// Too long, or with a control character.
    #[error("a proxy's password has 1 to {CREDENTIAL_BYTES_MAX} bytes on one line")]
    ConfigPassword,
}

impl Proxy {
    /// A proxy at `http://host:port`, spoken to in clear: what goes through its tunnel is secured from end to end.
    ///
    /// # Errors
    /// The URL is another one.
    pub fn at(url: &str) -> Result<Self, ProxyError> {
        let parsed = Url::parse(url).map_err(|_| ProxyError::ConfigUrl)?;
        let bare = parsed.path() == "/" && parsed.query().is_none() && parsed.fragment().is_none();
        let anonymous = parsed.username().is_empty() && parsed.password().is_none();
        let host = parsed.host().map(|host| host.to_owned());
        match (parsed.scheme(), host, parsed.port_or_known_default()) {
            ("http", Some(host), Some(port)) if bare && anonymous => Ok(Self {
                origin: Origin { host, port },
                credentials: None,
            }),
            _ => Err(ProxyError::ConfigUrl),
        }
    }

    /// With credentials for Basic ([RFC 7617 §2](https://www.rfc-editor.org/rfc/rfc7617#section-2)).
    ///
    /// # Errors
    /// User name or password cannot be sent.
    pub fn with_credentials(
        mut self,
        user: &str,
        password: SecretText,
    ) -> Result<Self, ProxyError> {
        let fits = |text: &str| {
            (1..=CREDENTIAL_BYTES_MAX).contains(&text.len()) && !text.contains(char::is_control)
        };
        if !fits(user) || user.contains(':') {
            return Err(ProxyError::ConfigUser);
        }
        if !fits(password.expose()) {
            return Err(ProxyError::ConfigPassword);
        }
        self.credentials = Some((user.to_owned(), Arc::new(password)));
        Ok(self)
    }

    /// Where it is.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Asks a proxy for the way to a host. What comes back carries bytes of that host only.
    pub(crate) async fn tunnel(
        &self,
        mut stream: TcpStream,
        target: &Origin,
    ) -> Result<TcpStream, Failure> {
        let request = self.request(target);
        let request = request.map_err(|BufferFull| failed("its credentials are too long"))?;
        let sent = stream.write_all(request.expose()).await;
        sent.map_err(|error| failed(&error.to_string()))?;
        match answer(&mut stream).await? {
            200 => Ok(stream),
            407 => Err(failed("it wants other credentials (407)")),
            status => Err(failed(&format!("it opened no tunnel ({status})"))),
        }
    }

    fn request(&self, target: &Origin) -> Result<SecretBuffer, BufferFull> {
        let authority = format!("{}:{}", target.host, target.port);
        let mut request = SecretBuffer::with_capacity(REQUEST_BYTES_MAX);
        let head = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
        request.push_bytes(head.as_bytes())?;
        if let Some((user, password)) = &self.credentials {
            request.push_bytes(b"Proxy-Authorization: Basic ")?;
            let bytes = user.bytes().chain(*b":").chain(password.expose().bytes());
            push_base64(bytes, &mut request)?;
            request.push_bytes(b"\r\n")?;
        }
        request.push_bytes(b"\r\n")?;
        Ok(request)
    }
}

fn failed(why: &str) -> Failure {
    Failure::new(NotSentReason::Connect, why)
}

/// The status of the answer, of which nothing but the head may have come: a gateway does not speak first.
async fn answer(stream: &mut TcpStream) -> Result<u16, Failure> {
    let mut head = Vec::with_capacity(HEAD_BYTES_MAX);
    loop {
        let room = HEAD_BYTES_MAX - head.len();
        if room == 0 {
            let why = format!("the head of its answer is longer than {HEAD_BYTES_MAX} bytes");
            return Err(failed(&why));
        }
        let came = (&mut *stream)
            .take(u64::try_from(room).unwrap_or(0))
            .read_buf(&mut head)
            .await;
        if came.map_err(|error| failed(&error.to_string()))? == 0 {
            return Err(failed("it closed the connection instead of answering"));
        }
        let end = head.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let Some(end) = end else { continue };
        let status = status(&head).ok_or_else(|| failed("its answer is not HTTP"))?;
        let is_more = head.len() > end + 4;
        return match (status, is_more) {
            (200, true) => Err(failed("it spoke before the gateway could")),
            (status, _) => Ok(status),
        };
    }
}

/// Of `HTTP/1.1 200 Connection established`.
fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let (minor, rest) = rest.split_first()?;
    let (digits, reason) = rest.strip_prefix(b" ")?.split_at_checked(3)?;
    let is_status = minor.is_ascii_digit() && matches!(reason.first(), None | Some(b' '));
    let digits = std::str::from_utf8(digits).ok().filter(|_| is_status)?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(())?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_host_and_a_port() {
        for url in [
            "http://proxy.example:3128",
            "http://proxy.example:3128/",
            "HTTP://10.0.0.7:80",
            "http://[::1]:8080",
        ] {
            assert!(Proxy::at(url).is_ok(), "{url}");
        }
        for url in [
            "",
            "proxy.example:3128",
            "https://proxy.example:3128",
            "socks5://proxy.example:1080",
            "http://user:word@proxy.example:3128",
            "http://user@proxy.example:3128",
            "http://proxy.example:3128/path",
            "http://proxy.example:3128?a",
            "http://proxy.example:3128#a",
            "http://proxy.example:0x",
        ] {
            assert_eq!(Proxy::at(url).err(), Some(ProxyError::ConfigUrl), "{url}");
        }
    }

    #[test]
    fn credentials_fit_into_a_header() {
        let with = |user: &str, password: &str| {
            let proxy = Proxy::at("http://proxy.example:3128").unwrap();
            let password = SecretText::new(password.to_owned());
            proxy.with_credentials(user, password).err()
        };
        assert_eq!(with("shop", "word"), None);
        let long = "x".repeat(257);
        for user in ["", "a:b", "a\r\nb", &long] {
            assert_eq!(with(user, "word"), Some(ProxyError::ConfigUser), "{user}");
        }
        for password in ["", "a\nb", &long] {
            assert_eq!(with("shop", password), Some(ProxyError::ConfigPassword));
        }
    }

    #[test]
    fn a_tunnel_is_asked_for_by_host_and_port_and_nothing_else_is_said() {
        let proxy = Proxy::at("http://proxy.example:3128").unwrap();
        let word = SecretText::new("word:7".to_owned());
        let proxy = proxy.with_credentials("shop", word).unwrap();
        let url = |url: &str| Origin::of(&domain::gateway::UrlTemplate::parse(url).unwrap());
        let asked = |target: Origin| {
            let request = proxy.request(&target).unwrap();
            String::from_utf8(request.expose().to_vec()).unwrap()
        };
        assert_eq!(
            asked(url("https://pay.example/charge?a=b")),
            "CONNECT pay.example:443 HTTP/1.1\r\nHost: pay.example:443\r\nProxy-Authorization: Basic c2hvcDp3b3JkOjc=\r\n\r\n"
        );
        let asked = asked(url("https://[2001:db8::1]:8443/"));
        assert!(
            asked.starts_with("CONNECT [2001:db8::1]:8443 HTTP/1.1\r\n"),
            "{asked}"
        );
        assert_eq!(format!("{proxy:?}").matches("word").count(), 0);
    }

    #[test]
    fn only_a_status_line_of_http_1_has_a_status() {
        for (head, expected) in [
            ("HTTP/1.1 200 Connection established\r\n\r\n", Some(200)),
            ("HTTP/1.0 200\r\n\r\n", Some(200)),
            ("HTTP/1.1 407 Proxy Authentication Required\r\n", Some(407)),
            ("HTTP/2 200 OK\r\n", None),
            ("HTTP/1.1 2000\r\n", None),
            ("HTTP/1.1 +20 OK\r\n", None),
            ("HTTP/1.1  200 OK\r\n", None),
            ("HTTP/1.1 20", None),
            ("ICY 200 OK\r\n", None),
            ("", None),
        ] {
            assert_eq!(status(head.as_bytes()), expected, "{head:?}");
        }
    }
}
