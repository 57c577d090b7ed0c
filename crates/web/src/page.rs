//! The page: files built from ui/.
//! Owns: which file answers which path, its caching, the nonce of the policy.
//! Never: reads a file while it serves; all are in memory from the start.

use std::borrow::Cow;
use std::collections::HashMap;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::problem::ProblemCode;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use crate::app::{App, Shared};
use crate::headers::{OPENER, page_policy};
use crate::problem::{Code, Problem};

/// Where the page's nonce belongs.
const NONCE_PLACE: &str = "__CSP_NONCE__";
/// The view in a window of its own that lets a frame in: it hands a code to the frame that opened it.
const FRAME_DOOR: &str = "frame-sign-in";
/// The page in a build without one.
const MISSING: &str = include_str!("page_missing.html");

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
#[allow_missing = true]
struct Built;

struct Asset {
    bytes: bytes::Bytes,
    kind: &'static str,
    tag: HeaderValue,
}

/// The files of the page.
pub struct Page {
    index: String,
    files: HashMap<String, Asset>,
}

impl Page {
    /// The one that was built in. A debug build without ui/dist gets a page that says how to build it.
    #[must_use]
    pub fn built_in() -> Self {
        let files = Built::iter().filter_map(|path| {
            let file = Built::get(&path)?;
            Some((path.into_owned(), file.data))
        });
        Self::from_files(files)
    }

    /// Files by path, such as "assets/app-3f.js". `index.html` is the page itself.
    pub fn from_files(files: impl IntoIterator<Item = (String, Cow<'static, [u8]>)>) -> Self {
        let mut page = Self {
            index: MISSING.to_owned(),
            files: HashMap::new(),
        };
        for (path, bytes) in files {
            if path == "index.html" {
                page.index = String::from_utf8_lossy(&bytes).into_owned();
                continue;
            }
            let asset = Asset {
                kind: content_type(&path),
                tag: tag_of(&bytes),
                bytes: match bytes {
                    Cow::Borrowed(bytes) => bytes::Bytes::from_static(bytes),
                    Cow::Owned(bytes) => bytes::Bytes::from(bytes),
                },
            };
            page.files.insert(path, asset);
        }
        page
    }

    /// `around`: who may show it in a frame.
    fn index(&self, app: &App, around: &[String]) -> Response {
        let Some(nonce) = crate::login::random_u128().map(|random| format!("{random:032x}")) else {
            return Problem::new(Code::Internal).into_response();
        };
        let mut response = Response::new(Body::from(self.index.replace(NONCE_PLACE, &nonce)));
        let headers = response.headers_mut();
        if let Ok(policy) = HeaderValue::from_str(&page_policy(&nonce, &app.frame_hosts, around)) {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
        set(headers, CONTENT_TYPE, "text/html; charset=utf-8");
        set(headers, CACHE_CONTROL, "no-store");
        response
    }

    /// Content type and bytes of a file other than the index; none: no such file.
    #[must_use]
    pub fn raw(&self, path: &str) -> Option<(&'static str, &[u8])> {
        self.files
            .get(path)
            .map(|asset| (asset.kind, asset.bytes.as_ref()))
    }

    /// The answer for a file. Other pages than the index belong to other listeners.
    fn file(&self, path: &str, headers: &HeaderMap) -> Option<Response> {
        let asset = self.files.get(path).filter(|_| !path.ends_with(".html"))?;
        let known = headers.get(IF_NONE_MATCH) == Some(&asset.tag);
        let mut response = if known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            Response::new(Body::from(asset.bytes.clone()))
        };
        let headers = response.headers_mut();
        headers.insert(ETAG, asset.tag.clone());
        set(headers, CONTENT_TYPE, asset.kind);
        let caching = if path.starts_with("assets/") {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        set(headers, CACHE_CONTROL, caching);
        Some(response)
    }
}

/// Answers everything outside the API: a file, or the page for addresses that look like one of its views.
pub(crate) async fn serve(State(app): State<Shared>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Problem::new(Code::MethodNotAllowed).into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    if let Some(response) = app.page.file(path, request.headers()) {
        return response;
    }
    if let Some(kind) = path.strip_prefix("problems/") {
        return about(kind);
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    let is_view = !last.contains('.') || path == "index.html";
    let first = path.split('/').next().unwrap_or_default();
    if first.eq_ignore_ascii_case("api") || !is_view {
        return Problem::new(Code::NotFound).into_response();
    }
    if path != FRAME_DOOR || app.embedding.is_empty() {
        return app.page.index(&app, &app.embedding);
    }
    let mut door = app.page.index(&app, &[]);
    set(door.headers_mut(), OPENER, "unsafe-none");
    door
}

/// What a kind of problem is and what to do, where its `type` points.
fn about(kind: &str) -> Response {
    let path = format!("/problems/{kind}");
    let Some(code) = ProblemCode::all().find(|code| code.path() == path) else {
        return Problem::new(Code::NotFound).into_response();
    };
    let text = format!("{}\n\n{}\n", code.title(), code.advice());
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

fn set(headers: &mut HeaderMap, name: axum::http::HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

fn tag_of(bytes: &[u8]) -> HeaderValue {
    let hash = crate::login::hex(&Sha256::digest(bytes)[..16]);
    HeaderValue::from_str(&format!("\"{hash}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wav" => "audio/wav",
        "mp3" => "audio/mpeg",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}
