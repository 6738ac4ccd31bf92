-- Programs of administrations. Of a token only its hash is kept.
CREATE TABLE casework_token (
	id TEXT PRIMARY KEY,
	administration TEXT NOT NULL,
	unit TEXT NOT NULL,
	name TEXT NOT NULL,
	scopes TEXT NOT NULL,
	hash TEXT NOT NULL,
	made_by TEXT NOT NULL,
	made_at BIGINT NOT NULL,
	until_day TEXT NOT NULL,
	used_on TEXT NOT NULL,
	revoked_by TEXT NOT NULL,
	revoked_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX casework_token_by_hash ON casework_token (hash);
CREATE INDEX casework_token_by_administration ON casework_token (administration, made_at);
-- The references under which programs brought cases in: one reference, one case.
CREATE TABLE casework_own (
	administration TEXT NOT NULL,
	reference TEXT NOT NULL,
	number TEXT NOT NULL,
	digest TEXT NOT NULL,
	PRIMARY KEY (administration, reference)
);
-- Addresses that are told what happens in the cases of an administration.
CREATE TABLE casework_hook (
	id TEXT PRIMARY KEY,
	administration TEXT NOT NULL,
	address TEXT NOT NULL,
	secret TEXT NOT NULL,
	made_by TEXT NOT NULL,
	made_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL
);
CREATE INDEX casework_hook_by_administration ON casework_hook (administration, made_at);
-- What is to be told, written with what happened. It goes when it was taken.
CREATE TABLE casework_out (
	hook TEXT NOT NULL,
	case_id TEXT NOT NULL,
	seq BIGINT NOT NULL,
	number TEXT NOT NULL,
	kind TEXT NOT NULL,
	at BIGINT NOT NULL,
	next_at BIGINT NOT NULL,
	tries BIGINT NOT NULL,
	dead BOOLEAN NOT NULL,
	PRIMARY KEY (hook, case_id, seq)
);
CREATE INDEX casework_out_waiting ON casework_out (next_at) WHERE NOT dead;
