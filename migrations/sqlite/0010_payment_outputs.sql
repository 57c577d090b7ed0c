-- What is kept of a gateway's answer, scrubbed: a list of names and values.
ALTER TABLE payments ADD COLUMN outputs TEXT NOT NULL DEFAULT '[]';
