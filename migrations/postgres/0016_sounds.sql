-- Sounds that callers hear while they wait: linear samples at 8 kHz, 16 bits, the low byte first.
CREATE TABLE sounds (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    seconds BIGINT NOT NULL,
    samples BYTEA NOT NULL
);
