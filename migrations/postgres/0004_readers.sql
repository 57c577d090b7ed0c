-- What readers of the ledger and of the trail look for.
ALTER TABLE payments ALTER COLUMN reference TYPE TEXT COLLATE "C";
ALTER TABLE payments ADD COLUMN desktop_id TEXT COLLATE "C";
UPDATE payments SET desktop_id = (SELECT desktop_id FROM widgets WHERE widgets.id = payments.widget_id);
CREATE INDEX payments_by_desktop ON payments (desktop_id, created_at);
CREATE INDEX payments_by_reference ON payments (reference);
CREATE INDEX payments_by_call ON payments (call_id);
CREATE INDEX payments_unknown ON payments (created_at) WHERE state = 'final' AND detail = 'unknown';

-- How somebody says that an unknown outcome ended, until a second person has judged it.
CREATE TABLE payment_proposals (
    of_attempt TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES payments (attempt),
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_by_name TEXT NOT NULL,
    proposed_at BIGINT NOT NULL
);

-- Copies of what the document says, to look for; verifying the chains compares them with it.
ALTER TABLE audit_entries ADD COLUMN at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE audit_entries ADD COLUMN actor TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE audit_entries ADD COLUMN action TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE audit_entries ADD COLUMN object TEXT COLLATE "C" NOT NULL DEFAULT '';
-- By patterns, and only the pieces read as JSON: a detail may hold an escaped NUL, which PostgreSQL's JSON refuses. The keys of a document are in
-- order, so action, actor, address and at come first and the object last; a quote inside a text is escaped.
UPDATE audit_entries SET
    action = substring(document FROM '^\{"action":"([a-z_]+)"'),
    actor = replace(substring(document FROM '"actor":("(?:[^"\\]|\\.)*")'), '\u0000', '\ufffd')::json #>> '{}',
    at = substring(document FROM '"at":(-?[0-9]+)')::BIGINT,
    object = replace(substring(document FROM '"object":("(?:[^"\\]|\\.)*"),"seq":[0-9]+,"v":[0-9]+\}$'), '\u0000', '\ufffd')::json #>> '{}';
CREATE INDEX audit_entries_by_time ON audit_entries (at);
CREATE INDEX audit_entries_by_actor ON audit_entries (actor, position);
CREATE INDEX audit_entries_by_action ON audit_entries (action, position);
CREATE INDEX audit_entries_by_object ON audit_entries (object, position);
