-- Recordings of calls: what is known of them beside their bytes, which are files of their node. Their keys are in those files, wrapped.
CREATE TABLE recordings (
    id TEXT PRIMARY KEY NOT NULL,
    call_id TEXT NOT NULL,
    service_id TEXT NOT NULL,
    agent TEXT,
    node TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    keep_until INTEGER NOT NULL,
    state TEXT NOT NULL,
    ended_at INTEGER,
    samples INTEGER,
    bytes INTEGER,
    final_segment INTEGER
) STRICT;
CREATE INDEX recordings_by_begin ON recordings (began_at, id);
CREATE INDEX recordings_of_call ON recordings (call_id);
CREATE INDEX recordings_due ON recordings (node, keep_until);
CREATE INDEX recordings_unfinished ON recordings (node, began_at) WHERE state IN ('running', 'deleting');
