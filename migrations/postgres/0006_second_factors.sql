-- The sealed secret of a user's second factor.
CREATE TABLE second_factors (
    user_id TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    data_key_id TEXT COLLATE "C" NOT NULL REFERENCES data_keys (id),
    sealed BYTEA NOT NULL
);
