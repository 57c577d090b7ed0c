CREATE TABLE designer_desktops (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    revision BIGINT NOT NULL,
    document TEXT NOT NULL
);

-- Every revision ever saved; outlives the design.
CREATE TABLE designer_desktop_history (
    design_id TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    saved_at BIGINT NOT NULL,
    saved_by TEXT COLLATE "C" NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (design_id, revision)
);

-- The design that an agent desktop uses.
ALTER TABLE desktops ADD COLUMN design_id TEXT COLLATE "C" REFERENCES designer_desktops (id);
CREATE INDEX desktops_by_design ON desktops (design_id);
