-- What is known of routing numbers: 'refused', the operator's list, and 'banks', the imported table of bank names.
CREATE TABLE routing_lists (
    name TEXT PRIMARY KEY NOT NULL,
    revision INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
