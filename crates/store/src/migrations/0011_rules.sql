-- What a destination wants beside its events, and its own template. Nothing is looked for by them, so the rules are one
-- value.
ALTER TABLE destinations ADD COLUMN template TEXT;
ALTER TABLE destinations ADD COLUMN rules $JSON NOT NULL DEFAULT '{}';
