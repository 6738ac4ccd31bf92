-- Who is present at a counter while an officer fills a form in with them.
CREATE TABLE casework_present (
	draft TEXT PRIMARY KEY,
	person TEXT NOT NULL,
	officer TEXT NOT NULL,
	administration TEXT NOT NULL,
	known BOOLEAN NOT NULL,
	sealed BYTEA NOT NULL,
	made_at BIGINT NOT NULL
);
