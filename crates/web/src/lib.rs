//! The HTTP side of the process.
//! Owns: the API, server-sent events, logins, the static page.
//! Never: holds business rules; it parses, authorises, asks and answers.
//! Start reading at: `router`.
