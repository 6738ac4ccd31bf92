-- The language in which the person at a counter is written to; empty is that of the
-- officer's page.
ALTER TABLE casework_present ADD COLUMN lang TEXT NOT NULL DEFAULT '';
