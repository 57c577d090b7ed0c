-- What gateways were asked to do with payments afterwards: void, refund, capture.
CREATE TABLE payment_follow_ups (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    of_attempt TEXT COLLATE "C" NOT NULL REFERENCES payments (attempt),
    number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    request_key TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_by_name TEXT NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    message TEXT NOT NULL,
    outputs TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    UNIQUE (of_attempt, number),
    UNIQUE (of_attempt, request_key)
);
-- One at a time: while one is on its way, or nobody knows how it ended, there is no other of its payment.
CREATE UNIQUE INDEX payment_follow_ups_at_once ON payment_follow_ups (of_attempt)
    WHERE state IN ('intent', 'sent') OR (state = 'final' AND detail = 'unknown');
CREATE INDEX payment_follow_ups_unfinished ON payment_follow_ups (created_at) WHERE state IN ('intent', 'sent');
