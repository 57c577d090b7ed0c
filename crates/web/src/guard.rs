//! The one gate before every handler.
//! Owns: login, lock, foreign pages, tokens, rights of the route; default deny.
//! Never: knows what a handler does.

use axum::extract::{Request, State};
use axum::http::header::{COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::access::{Actor, Denied, Permission, Resource, authorize};
use serde::Serialize;
use subtle::ConstantTimeEq;
use tokio::time::Instant;

use crate::app::{App, Shared};
use crate::login::Login;
use crate::problem::{Code, Problem};

/// The cookie of a login. The prefix binds it to this host, to HTTPS (or loopback) and to the whole path.
pub(crate) const COOKIE_NAME: &str = "__Host-tonewall";
/// The cookie of a login in a frame of another site: partitioned, so that it is that site's alone, and sent with requests from other pages there, too.
pub(crate) const FRAME_COOKIE_NAME: &str = "__Host-tonewall-frame";
/// Which page a browser sends a request for.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// The header that repeats the login's token on every request that changes something.
pub(crate) const CSRF_HEADER: HeaderName = HeaderName::from_static("x-tonewall-csrf");

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Anybody.
    Public,
    /// Whoever is logged in.
    LoggedIn,
    /// Whoever has one of these rights.
    Any(&'static [Permission]),
}

/// What a route asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) access: Access,
    /// It goes on while the browser is locked: the call, its end, the mask, no values.
    pub(crate) while_locked: bool,
    /// It can be used before the first-use password is changed and the second factor is set up.
    pub(crate) before_change: bool,
    /// It shows that somebody sits there.
    pub(crate) is_activity: bool,
}

impl Rule {
    /// Finds the first of the rights that the actor has.
    pub(crate) fn permits(&self, actor: &Actor) -> Result<(), Denied> {
        let Access::Any(rights) = self.access else {
            return Ok(());
        };
        let mut denied = Err(Denied::NotYours);
        for right in rights {
            denied = authorize(actor, *right, Resource::Installation);
            if denied.is_ok() {
                break;
            }
        }
        denied
    }
}

/// Before every route of the API.
pub(crate) async fn layer(
    State((app, rule)): State<(Shared, Rule)>,
    mut request: Request,
    next: Next,
) -> Response {
    match check(&app, rule, request.method(), request.headers()) {
        Ok(Some(login)) => {
            request.extensions_mut().insert(login);
            next.run(request).await
        }
        Ok(None) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn check(
    app: &App,
    rule: Rule,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Option<Login>, Problem> {
    let changes = !matches!(*method, Method::GET | Method::HEAD);
    let now = Instant::now();
    let login = login_of(app, headers, now);
    if rule.access == Access::Public {
        if changes {
            check_origin(app, headers)?;
        }
        return Ok(login);
    }
    let login = login.ok_or(Code::NotLoggedIn)?;
    if changes {
        check_origin(app, headers)?;
        check_token(&login, headers)?;
    }
    if login.locked && !rule.while_locked {
        return Err(Code::IdleLocked.into());
    }
    if login.must_change_password && !rule.before_change {
        return Err(Code::PasswordChangeRequired.into());
    }
    if login.must_set_second_factor && !rule.before_change {
        return Err(Code::SecondFactorNeeded.into());
    }
    rule.permits(&login.actor)?;
    if rule.is_activity {
        app.logins.touch(&login.key, now);
    }
    Ok(Some(login))
}

/// The login of the browser's own cookie, else that of a frame. The frame's counts only where the browser says that our own page asks, for the page
/// around the frame can send requests with it as well.
fn login_of(app: &App, headers: &HeaderMap, now: Instant) -> Option<Login> {
    let find = |name| app.logins.find(cookie(headers, name)?, now);
    let own = find(COOKIE_NAME).filter(|login| !login.framed);
    let is_our_page = headers
        .get(FETCH_SITE)
        .is_some_and(|site| site == "same-origin");
    let framed = || find(FRAME_COOKIE_NAME).filter(|login| login.framed && is_our_page);
    own.or_else(framed)
}

/// Browsers name the page's origin on every request that changes something.
fn check_origin(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    let ours = headers
        .get(ORIGIN)
        .and_then(|origin| origin.to_str().ok())
        .is_some_and(|origin| app.origins.allows(origin));
    if ours {
        Ok(())
    } else {
        Err(Code::ForeignOrigin.into())
    }
}

fn check_token(login: &Login, headers: &HeaderMap) -> Result<(), Problem> {
    let right = headers
        .get(CSRF_HEADER)
        .is_some_and(|token| token.as_bytes().ct_eq(login.csrf.as_bytes()).into());
    if right {
        Ok(())
    } else {
        Err(Code::Csrf.into())
    }
}

/// The value of a cookie of ours.
fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            (name.trim() == wanted).then_some(value.trim())
        })
}

/// Before everything: the request names this server.
pub(crate) async fn host(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let host = request
        .uri()
        .authority()
        .map(axum::http::uri::Authority::as_str)
        .or_else(|| request.headers().get(HOST)?.to_str().ok());
    if host.is_some_and(|host| app.origins.has_host(host)) {
        next.run(request).await
    } else {
        Problem::new(Code::UnknownHost).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_the_whole_name_is_our_cookie() {
        let find = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_static(text));
            cookie(&headers, COOKIE_NAME).map(str::to_owned)
        };
        assert_eq!(find("a=b; __Host-tonewall=x"), Some("x".to_owned()));
        assert_eq!(find("tonewall=x; x__Host-tonewall=y"), None);
        assert_eq!(find("__Host-tonewall"), None);
        assert_eq!(find("__Host-tonewall-frame=x"), None);
    }
}
