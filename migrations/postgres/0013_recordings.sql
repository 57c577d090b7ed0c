-- Recordings of calls: what is known of them beside their bytes, which are files of their node. Their keys are in those files, wrapped.
CREATE TABLE recordings (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    call_id TEXT COLLATE "C" NOT NULL,
    service_id TEXT COLLATE "C" NOT NULL,
    agent TEXT COLLATE "C",
    node TEXT COLLATE "C" NOT NULL,
    began_at BIGINT NOT NULL,
    key_id TEXT NOT NULL,
    keep_until BIGINT NOT NULL,
    state TEXT NOT NULL,
    ended_at BIGINT,
    samples BIGINT,
    bytes BIGINT,
    final_segment BIGINT
);
CREATE INDEX recordings_by_begin ON recordings (began_at, id);
CREATE INDEX recordings_of_call ON recordings (call_id);
CREATE INDEX recordings_due ON recordings (node, keep_until);
CREATE INDEX recordings_unfinished ON recordings (node, began_at) WHERE state IN ('running', 'deleting');
