CREATE TABLE identity_account (
	id TEXT PRIMARY KEY,
	login TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL,
	administration TEXT NOT NULL,
	roles TEXT NOT NULL,
	sample BOOLEAN NOT NULL,
	disabled BOOLEAN NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE TABLE identity_link (
	token_hash TEXT PRIMARY KEY,
	account TEXT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE TABLE identity_session (
	token_hash TEXT PRIMARY KEY,
	data BYTEA NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX identity_session_by_expiry ON identity_session (expires_at);
