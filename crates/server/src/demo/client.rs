//! A small HTTP client for `demo --once`: what a page does, without a browser.
//! Owns: one connection per request, JSON in and out, the login's cookie and token.
//! Never: speaks to anything but loopback.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A client of one address.
pub(super) struct Client {
    address: std::net::SocketAddr,
    cookie: Option<String>,
    csrf: Option<String>,
}

impl Client {
    pub(super) fn new(address: std::net::SocketAddr) -> Self {
        Self {
            address,
            cookie: None,
            csrf: None,
        }
    }

    /// Logs in and keeps what the server gave.
    pub(super) async fn log_in(&mut self, user: &str, password: &str) -> Result<()> {
        let body = serde_json::json!({ "user": user, "password": password });
        let answer = self
            .send(Method::POST, "/api/v1/login", Some(&body), None)
            .await?;
        self.csrf = answer
            .get("csrf")
            .and_then(Value::as_str)
            .map(str::to_owned);
        ensure!(
            self.cookie.is_some() && self.csrf.is_some(),
            "the login gave no cookie or token"
        );
        Ok(())
    }

    pub(super) async fn get(&mut self, path: &str) -> Result<Value> {
        self.send(Method::GET, path, None, None).await
    }

    pub(super) async fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        self.send(Method::POST, path, Some(body), None).await
    }

    /// A command that charges carries a key.
    pub(super) async fn post_once(&mut self, path: &str, body: &Value, key: &str) -> Result<Value> {
        self.send(Method::POST, path, Some(body), Some(key)).await
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<Value> {
        let stream = TcpStream::connect(self.address)
            .await
            .context("connecting")?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let driving = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string())
            .header(ORIGIN, format!("http://{}", self.address));
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        if let Some(csrf) = &self.csrf {
            request = request.header("x-tonewall-csrf", csrf);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let bytes = match body {
            Some(body) => Bytes::from(serde_json::to_vec(body)?),
            None => Bytes::new(),
        };
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(bytes))?;
        let response = sender
            .send_request(request)
            .await
            .with_context(|| format!("asking {path}"))?;
        if let Some(cookie) = response
            .headers()
            .get(SET_COOKIE)
            .and_then(|value| value.to_str().ok())
        {
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        drop(sender);
        driving.abort();
        ensure!(
            status.is_success(),
            "{path} answered {status}: {}",
            String::from_utf8_lossy(&body)
        );
        if body.is_empty() {
            Ok(Value::Null)
        } else {
            Ok(serde_json::from_slice(&body)?)
        }
    }
}
