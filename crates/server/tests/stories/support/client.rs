//! A page without a browser: HTTP over a socket of its own per request, everything said kept for the scans.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

/// A request that takes longer has failed.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// All bytes that a server said to this client.
pub(crate) type Said = Arc<Mutex<Vec<u8>>>;

/// An answer that is not what was asked for: its status and what it says.
#[derive(Debug)]
pub(crate) struct Refused {
    status: u16,
    body: String,
}

impl Refused {
    /// What the server said: status and body; 0: it is gone.
    pub(crate) fn said(&self) -> (u16, &str) {
        (self.status, &self.body)
    }

    /// The server said so; else it is gone.
    pub(crate) fn was_said(&self) -> bool {
        self.status > 0
    }
}

/// A client of one address.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    cookie: String,
    csrf: String,
    said: Said,
}

impl Client {
    pub(crate) fn new(place: &str) -> Self {
        let address = place.trim_start_matches("http://").parse().unwrap();
        let (cookie, csrf) = (String::new(), String::new());
        Self {
            address,
            cookie,
            csrf,
            said: Said::default(),
        }
    }

    pub(crate) fn log_in(&mut self, user: &str, password: &str) -> Value {
        let form = serde_json::json!({ "user": user, "password": password });
        let (head, body) = self
            .exchange("POST", "/api/v1/login", &form.to_string(), "")
            .unwrap();
        let cookie = head
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: "));
        let cookie = cookie.unwrap_or_else(|| panic!("the login of {user} was refused: {head}"));
        self.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let view: Value = serde_json::from_slice(&body).unwrap();
        self.csrf = view["csrf"].as_str().unwrap().to_owned();
        view
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.send("GET", path, None, "").unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.send("POST", path, Some(body), "").unwrap()
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Value {
        self.send("PUT", path, Some(body), "").unwrap()
    }

    /// Sends; `key` is the idempotency key of a command that charges.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        key: &str,
    ) -> Result<Value, Refused> {
        let text = body.map(Value::to_string).unwrap_or_default();
        let (head, body) = self
            .exchange(method, path, &text, key)
            .map_err(|error| Refused {
                status: 0,
                body: error.to_string(),
            })?;
        let status = status(&head);
        let body_text = String::from_utf8_lossy(&body).into_owned();
        if !(200..300).contains(&status) {
            return Err(Refused {
                status,
                body: body_text,
            });
        }
        Ok(serde_json::from_slice(&body).unwrap_or(Value::String(body_text)))
    }

    /// The text of a Basic value; it is not kept among what was said.
    pub(crate) fn reveal(&self, path: &str, field: &str) -> String {
        let apart = Self {
            said: Said::default(),
            ..self.clone()
        };
        let form = serde_json::json!({ "field": field }).to_string();
        let (head, body) = apart.exchange("POST", path, &form, "").unwrap();
        assert_eq!(status(&head), 200, "{head}");
        String::from_utf8(body).unwrap()
    }

    /// Everything that was said to this client.
    pub(crate) fn heard(&self) -> Vec<u8> {
        self.said
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The head of a request, for a stream that is read elsewhere.
    pub(crate) fn head(&self, method: &str, path: &str, length: usize, key: &str) -> String {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {0}\r\norigin: http://{0}\r\nconnection: close\r\n",
            self.address
        );
        let named = [
            ("cookie", &*self.cookie),
            ("x-tonewall-csrf", &self.csrf),
            ("idempotency-key", key),
        ];
        for (name, value) in named.into_iter().filter(|(_, value)| !value.is_empty()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if length > 0 {
            head.push_str(&format!(
                "content-type: application/json\r\ncontent-length: {length}\r\n"
            ));
        }
        head + "\r\n"
    }

    fn exchange(
        &self,
        method: &str,
        path: &str,
        body: &str,
        key: &str,
    ) -> std::io::Result<(String, Vec<u8>)> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        let request = self.head(method, path, body.len(), key) + body;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        self.said
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(&answer);
        split(&answer).ok_or_else(|| std::io::Error::other("the answer has no head"))
    }
}

fn status(head: &str) -> u16 {
    head.split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .unwrap_or(0)
}

/// Head and body of an answer; chunks are put together.
fn split(answer: &[u8]) -> Option<(String, Vec<u8>)> {
    let at = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..at]).replace("\r\n", "\n");
    let body = &answer[at + 4..];
    let chunked = head
        .to_ascii_lowercase()
        .contains("\ntransfer-encoding: chunked");
    Some((
        head,
        if chunked {
            unchunk(body)
        } else {
            body.to_vec()
        },
    ))
}

/// The bytes of a chunked body, as far as it goes.
pub(super) fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(line) = body.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&body[..line]).ok();
        let Some(size) = size.and_then(|text| usize::from_str_radix(text.trim(), 16).ok()) else {
            break;
        };
        let start = line + 2;
        whole.extend_from_slice(&body[start..body.len().min(start + size)]);
        if size == 0 || body.len() < start + size + 2 {
            break;
        }
        body = &body[start + size + 2..];
    }
    whole
}
