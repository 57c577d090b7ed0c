-- Recordings are of calls or of screens.
ALTER TABLE recordings ADD COLUMN medium TEXT NOT NULL DEFAULT 'call';
