//! The HTTP side of the process.
//! Owns: the API, server-sent events, logins, the static page.
//! Never: holds business rules; it parses, authorises, asks and answers.
//! Start reading at: `routes`.

mod api;
mod app;
mod byte_range;
mod config;
mod csv;
pub mod events;
mod extract;
mod guard;
mod headers;
pub mod health;
mod login;
mod openings;
mod page;
mod problem;
mod routes;
mod server;
mod stall;
mod tls;
mod trials;

pub use api::openapi::{document, document_text};
pub use app::{ChangeHooks, Changed, Deps, NoHooks};
pub use config::{ServeError, TlsFiles, WebConfig};
pub use guard::Access;
pub use login::password::{
    PasswordCost, PasswordError, hash_password, password_rule, phone_secret,
};
pub use page::Page;
pub use routes::{RouteRow, table};
pub use server::{Running, embedding_origin, serve};
