//! A browser as far as the server can tell: cookie, origin, token.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{HeaderMap, Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

pub(crate) struct Browser {
    pub(crate) address: SocketAddr,
    pub(crate) cookie: Option<String>,
    pub(crate) csrf: Option<String>,
    pub(crate) origin: Option<String>,
    pub(crate) host: String,
    pub(crate) extra: Vec<(String, String)>,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{} {}", self.status, self.text()))
    }

    pub(crate) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let json = self.json();
        assert_eq!(json["status"], self.status);
        json["code"].as_str().unwrap().to_owned()
    }

    /// The fields that a problem names.
    pub(crate) fn fields(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().unwrap().clone();
        errors
            .iter()
            .map(|error| error["field"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl Browser {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            cookie: None,
            csrf: None,
            origin: Some(format!("http://{address}")),
            host: address.to_string(),
            extra: Vec::new(),
        }
    }

    pub(crate) async fn log_in(&mut self, user: &str, password: &str) -> Reply {
        self.log_in_with(serde_json::json!({"user": user, "password": password}))
            .await
    }

    pub(crate) async fn log_in_with(&mut self, form: Value) -> Reply {
        self.send_to_log_in("/login", form).await
    }

    /// A request whose answer is a login.
    pub(crate) async fn send_to_log_in(&mut self, path: &str, form: Value) -> Reply {
        let reply = self.post(path, form).await;
        if reply.status == 200 {
            let cookie = reply.header("set-cookie").split(';').next().unwrap();
            self.cookie = Some(cookie.to_owned());
            self.csrf = Some(reply.json()["csrf"].as_str().unwrap().to_owned());
        }
        reply
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let text = body.map(|body| body.to_string());
        self.send_text(method, path, text).await
    }

    pub(crate) async fn send_text(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Reply {
        let response = self.response(method, path, body).await;
        let (parts, body) = response.into_parts();
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    pub(crate) async fn events(&self, last_id: Option<&str>) -> Stream {
        let mut with_id = Self {
            cookie: self.cookie.clone(),
            csrf: self.csrf.clone(),
            ..Self::new(self.address)
        };
        if let Some(id) = last_id {
            with_id
                .extra
                .push(("last-event-id".to_owned(), id.to_owned()));
        }
        let response = with_id.response(Method::GET, "/events", None).await;
        Stream {
            status: response.status().as_u16(),
            body: response.into_body(),
            text: String::new(),
        }
    }

    async fn response(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> hyper::Response<Incoming> {
        let path = match path.strip_prefix('!') {
            Some(whole) => whole.to_owned(),
            None => format!("/api/v1{path}"),
        };
        let changes = method != Method::GET;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.host);
        if body.is_some() && !self.extra.iter().any(|(name, _)| name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        if let (true, Some(origin)) = (changes, &self.origin) {
            request = request.header("origin", origin);
        }
        if let (true, Some(csrf)) = (changes, &self.csrf) {
            request = request.header("x-tonewall-csrf", csrf);
        }
        for (name, value) in &self.extra {
            request = request.header(name, value);
        }
        let request = request
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .unwrap();
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    }
}

/// An event stream.
pub(crate) struct Stream {
    pub(crate) status: u16,
    body: Incoming,
    text: String,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) event: String,
    pub(crate) id: String,
    pub(crate) data: String,
}

impl Stream {
    /// The next event; comments are passed over. None at the end.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let frame = parse(block);
                self.text = rest.to_owned();
                match frame {
                    Some(frame) => return Some(frame),
                    None => continue,
                }
            }
            let piece = self.piece().await?;
            self.text.push_str(&piece);
        }
    }

    /// What the server writes next, as it is.
    pub(crate) async fn piece(&mut self) -> Option<String> {
        let piece = self.body.frame().await?.ok()?;
        let bytes = piece.into_data().unwrap_or_default();
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn parse(block: &str) -> Option<Frame> {
    let line = |name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::to_owned)
    };
    Some(Frame {
        event: line("event: ")?,
        id: line("id: ")?,
        data: line("data: ")?,
    })
}
