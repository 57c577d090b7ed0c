-- What the scan after the call found in a recording; not scanned: none of these.
ALTER TABLE recordings ADD COLUMN scanned_at BIGINT;
ALTER TABLE recordings ADD COLUMN masked_keys BIGINT;
ALTER TABLE recordings ADD COLUMN paused_samples BIGINT;
ALTER TABLE recordings ADD COLUMN unprotected_keys BIGINT;
CREATE INDEX recordings_unscanned ON recordings (node, began_at, id) WHERE state = 'ended' AND scanned_at IS NULL;
