-- Secrets that references to people are made with.
CREATE TABLE identity_secret (
	name TEXT PRIMARY KEY,
	value BYTEA NOT NULL
);
