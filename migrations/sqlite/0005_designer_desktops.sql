CREATE TABLE designer_desktops (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;

-- Every revision ever saved; outlives the design.
CREATE TABLE designer_desktop_history (
    design_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    saved_at INTEGER NOT NULL,
    saved_by TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (design_id, revision)
) STRICT;

-- The design that an agent desktop uses.
ALTER TABLE desktops ADD COLUMN design_id TEXT REFERENCES designer_desktops (id);
CREATE INDEX desktops_by_design ON desktops (design_id);
