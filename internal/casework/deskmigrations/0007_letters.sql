-- Letters that an administration writes often, with places for what changes.
CREATE TABLE casework_letter (
	id TEXT PRIMARY KEY,
	administration TEXT NOT NULL,
	name TEXT NOT NULL,
	lang TEXT NOT NULL,
	subject TEXT NOT NULL,
	body TEXT NOT NULL,
	made_by TEXT NOT NULL,
	changed_at BIGINT NOT NULL
);
CREATE INDEX casework_letter_by_office ON casework_letter (administration, name);
