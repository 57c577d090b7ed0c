-- Times are milliseconds since 1970, money is in minor units, documents are JSON with their version in "v".
CREATE TABLE desktops (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;

-- Every revision ever saved; outlives the desktop.
CREATE TABLE desktop_history (
    desktop_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    saved_at INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (desktop_id, revision)
) STRICT;

-- Keys that seal secrets, themselves sealed under a master key that is never in the database.
CREATE TABLE data_keys (
    id TEXT PRIMARY KEY NOT NULL,
    master_key_id TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Which desktop a widget belongs to, and the sealed password of its gateway.
CREATE TABLE widgets (
    id TEXT PRIMARY KEY NOT NULL,
    desktop_id TEXT NOT NULL REFERENCES desktops (id) ON DELETE CASCADE,
    data_key_id TEXT REFERENCES data_keys (id),
    sealed BLOB,
    set_at INTEGER
) STRICT;
CREATE INDEX widgets_by_desktop ON widgets (desktop_id);

CREATE TABLE users (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    phone TEXT UNIQUE,
    desktop_id TEXT REFERENCES desktops (id),
    revision INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX users_by_desktop ON users (desktop_id);

CREATE TABLE services (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    desktop_id TEXT NOT NULL REFERENCES desktops (id),
    revision INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX services_by_desktop ON services (desktop_id);

-- A number leads to one service.
CREATE TABLE service_numbers (
    number TEXT PRIMARY KEY NOT NULL,
    service_id TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX service_numbers_by_service ON service_numbers (service_id);

CREATE TABLE settings (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    revision INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;

-- The ledger: one row an attempt. No column can hold a card or account number.
CREATE TABLE payments (
    attempt TEXT PRIMARY KEY NOT NULL,
    reference TEXT NOT NULL,
    capture_id TEXT NOT NULL,
    call_id TEXT NOT NULL,
    widget_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    agent TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    brand TEXT,
    last_four TEXT CHECK (length(last_four) <= 4),
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    message TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX payments_by_agent ON payments (agent, created_at);
CREATE INDEX payments_by_time ON payments (created_at);
CREATE INDEX payments_unfinished ON payments (created_at) WHERE state IN ('intent', 'sent');

-- One chain a start of a node. `anchor` is the hash of entry `anchor_seq` of the node's chain before it; `seq` and `hash` are its last entry's.
CREATE TABLE audit_chains (
    chain TEXT PRIMARY KEY NOT NULL,
    node TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    anchor_seq INTEGER NOT NULL,
    anchor TEXT NOT NULL,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    UNIQUE (node, epoch)
) STRICT;

CREATE TABLE audit_entries (
    position INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    chain TEXT NOT NULL REFERENCES audit_chains (chain),
    seq INTEGER NOT NULL,
    document TEXT NOT NULL,
    hash TEXT NOT NULL,
    UNIQUE (chain, seq)
) STRICT;
