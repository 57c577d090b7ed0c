-- Hosts that may receive captured values because a second person said so. Beside every document: neither import nor restore carries one.
CREATE TABLE approved_hosts (
    authority TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    reason TEXT NOT NULL,
    approved_by TEXT NOT NULL,
    approved_by_name TEXT NOT NULL,
    approved_at BIGINT NOT NULL
);
