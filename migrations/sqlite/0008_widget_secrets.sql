-- Sealed secrets that a gateway's configuration names. The id is "widget/name".
CREATE TABLE widget_secrets (
    id TEXT PRIMARY KEY NOT NULL,
    widget_id TEXT NOT NULL REFERENCES widgets (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    data_key_id TEXT NOT NULL REFERENCES data_keys (id),
    sealed BLOB NOT NULL,
    set_at INTEGER NOT NULL
) STRICT;
CREATE INDEX widget_secrets_by_widget ON widget_secrets (widget_id);
