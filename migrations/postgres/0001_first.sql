-- Names and identities are compared by their bytes, as in SQLite.
-- Times are milliseconds since 1970, money is in minor units, documents are JSON with their version in "v".
CREATE TABLE desktops (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    revision BIGINT NOT NULL,
    document TEXT NOT NULL
);

-- Every revision ever saved; outlives the desktop.
CREATE TABLE desktop_history (
    desktop_id TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    saved_at BIGINT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (desktop_id, revision)
);

-- Keys that seal secrets, themselves sealed under a master key that is never in the database.
CREATE TABLE data_keys (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    master_key_id TEXT NOT NULL,
    wrapped BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

-- Which desktop a widget belongs to, and the sealed password of its gateway.
CREATE TABLE widgets (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    desktop_id TEXT COLLATE "C" NOT NULL REFERENCES desktops (id) ON DELETE CASCADE,
    data_key_id TEXT COLLATE "C" REFERENCES data_keys (id),
    sealed BYTEA,
    set_at BIGINT
);
CREATE INDEX widgets_by_desktop ON widgets (desktop_id);

CREATE TABLE users (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    phone TEXT COLLATE "C" UNIQUE,
    desktop_id TEXT COLLATE "C" REFERENCES desktops (id),
    revision BIGINT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX users_by_desktop ON users (desktop_id);

CREATE TABLE services (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    desktop_id TEXT COLLATE "C" NOT NULL REFERENCES desktops (id),
    revision BIGINT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX services_by_desktop ON services (desktop_id);

-- A number leads to one service.
CREATE TABLE service_numbers (
    number TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    service_id TEXT COLLATE "C" NOT NULL REFERENCES services (id) ON DELETE CASCADE
);
CREATE INDEX service_numbers_by_service ON service_numbers (service_id);

CREATE TABLE settings (
    id BIGINT PRIMARY KEY NOT NULL CHECK (id = 1),
    revision BIGINT NOT NULL,
    document TEXT NOT NULL
);

-- The ledger: one row an attempt. No column can hold a card or account number.
CREATE TABLE payments (
    attempt TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    reference TEXT NOT NULL,
    capture_id TEXT NOT NULL,
    call_id TEXT NOT NULL,
    widget_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    brand TEXT,
    last_four TEXT CHECK (length(last_four) <= 4),
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    message TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX payments_by_agent ON payments (agent, created_at);
CREATE INDEX payments_by_time ON payments (created_at);
CREATE INDEX payments_unfinished ON payments (created_at) WHERE state IN ('intent', 'sent');

-- One chain a start of a node. `anchor` is the hash of entry `anchor_seq` of the node's chain before it; `seq` and `hash` are its last entry's.
CREATE TABLE audit_chains (
    chain TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    epoch BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    anchor_seq BIGINT NOT NULL,
    anchor TEXT NOT NULL,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL,
    UNIQUE (node, epoch)
);

CREATE TABLE audit_entries (
    position BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    chain TEXT COLLATE "C" NOT NULL REFERENCES audit_chains (chain),
    seq BIGINT NOT NULL,
    document TEXT NOT NULL,
    hash TEXT NOT NULL,
    UNIQUE (chain, seq)
);
