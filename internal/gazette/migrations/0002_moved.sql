-- Addresses that a text had before a person confirmed its number: they lead to
-- the new one for good.
CREATE TABLE gazette_moved (
	old TEXT PRIMARY KEY,
	work TEXT NOT NULL,
	short TEXT NOT NULL
);
CREATE INDEX gazette_moved_by_short ON gazette_moved (short);
