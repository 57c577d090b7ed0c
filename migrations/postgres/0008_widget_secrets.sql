-- Sealed secrets that a gateway's configuration names. The id is "widget/name".
CREATE TABLE widget_secrets (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    widget_id TEXT COLLATE "C" NOT NULL REFERENCES widgets (id) ON DELETE CASCADE,
    name TEXT COLLATE "C" NOT NULL,
    data_key_id TEXT COLLATE "C" NOT NULL REFERENCES data_keys (id),
    sealed BYTEA NOT NULL,
    set_at BIGINT NOT NULL
);
CREATE INDEX widget_secrets_by_widget ON widget_secrets (widget_id);
