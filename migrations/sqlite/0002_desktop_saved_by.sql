-- Login name of who saved a revision, or "system"; empty for revisions from before.
ALTER TABLE desktop_history ADD COLUMN saved_by TEXT NOT NULL DEFAULT '';
