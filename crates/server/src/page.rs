//! The simulator's page among the built-in files.

use std::sync::Arc;

use simulator::PageSource;

/// Files of the page by path, for the simulator's own listener.
pub(crate) fn source() -> PageSource {
    let page = web::Page::built_in();
    Arc::new(move |path| {
        let (kind, bytes) = page.raw(path.trim_start_matches('/'))?;
        Some((kind.to_owned(), bytes.to_vec().into()))
    })
}
