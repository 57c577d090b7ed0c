-- What readers of the ledger and of the trail look for.
ALTER TABLE payments ADD COLUMN desktop_id TEXT;
UPDATE payments SET desktop_id = (SELECT desktop_id FROM widgets WHERE widgets.id = payments.widget_id);
CREATE INDEX payments_by_desktop ON payments (desktop_id, created_at);
CREATE INDEX payments_by_reference ON payments (reference);
CREATE INDEX payments_by_call ON payments (call_id);
CREATE INDEX payments_unknown ON payments (created_at) WHERE state = 'final' AND detail = 'unknown';

-- How somebody says that an unknown outcome ended, until a second person has judged it.
CREATE TABLE payment_proposals (
    of_attempt TEXT PRIMARY KEY NOT NULL REFERENCES payments (attempt),
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_by_name TEXT NOT NULL,
    proposed_at INTEGER NOT NULL
) STRICT;

-- Copies of what the document says, to look for; verifying the chains compares them with it.
ALTER TABLE audit_entries ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE audit_entries ADD COLUMN actor TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_entries ADD COLUMN action TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_entries ADD COLUMN object TEXT NOT NULL DEFAULT '';
UPDATE audit_entries SET
    at = document ->> '$.at',
    actor = document ->> '$.actor',
    action = document ->> '$.action',
    object = document ->> '$.object';
CREATE INDEX audit_entries_by_time ON audit_entries (at);
CREATE INDEX audit_entries_by_actor ON audit_entries (actor, position);
CREATE INDEX audit_entries_by_action ON audit_entries (action, position);
CREATE INDEX audit_entries_by_object ON audit_entries (object, position);
