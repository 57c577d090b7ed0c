-- Sounds that callers hear while they wait: linear samples at 8 kHz, 16 bits, the low byte first.
CREATE TABLE sounds (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    seconds INTEGER NOT NULL,
    samples BLOB NOT NULL
) STRICT;
