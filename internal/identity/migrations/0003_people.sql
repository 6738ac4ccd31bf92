ALTER TABLE identity_account ADD COLUMN unit TEXT NOT NULL DEFAULT '';
-- Who an account is at a sign-in provider.
CREATE TABLE identity_subject (
	issuer TEXT NOT NULL,
	subject TEXT NOT NULL,
	account TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (issuer, subject)
);
CREATE INDEX identity_subject_by_account ON identity_subject (account);
-- Exchanges with a browser that are good once: under the hash of their token.
CREATE TABLE identity_flow (
	token_hash TEXT PRIMARY KEY,
	kind TEXT NOT NULL,
	binding TEXT NOT NULL,
	data TEXT NOT NULL,
	expires_at BIGINT NOT NULL
);
-- What is known of a person, sealed under a key of their own; the national
-- number can be found by a keyed hash alone.
CREATE TABLE identity_person (
	account TEXT PRIMARY KEY,
	wrapped_key BYTEA NOT NULL,
	sealed BYTEA NOT NULL,
	national TEXT NOT NULL,
	updated_at BIGINT NOT NULL
);
CREATE INDEX identity_person_by_national ON identity_person (national) WHERE national <> '';
-- Each sign-in: while it lasts it is a session, afterwards history.
CREATE TABLE identity_sign_in (
	id TEXT PRIMARY KEY,
	account TEXT NOT NULL,
	way TEXT NOT NULL,
	issuer TEXT NOT NULL,
	sid TEXT NOT NULL,
	subject TEXT NOT NULL,
	started_at BIGINT NOT NULL,
	seen_at BIGINT NOT NULL,
	confirmed_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL,
	ended_by TEXT NOT NULL,
	agent TEXT NOT NULL
);
CREATE INDEX identity_sign_in_by_account ON identity_sign_in (account, started_at);
CREATE INDEX identity_sign_in_by_sid ON identity_sign_in (issuer, sid) WHERE sid <> '';
CREATE INDEX identity_sign_in_by_subject ON identity_sign_in (issuer, subject) WHERE subject <> '';
-- Logout tokens that were used.
CREATE TABLE identity_logout (
	issuer TEXT NOT NULL,
	jti TEXT NOT NULL,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (issuer, jti)
);
CREATE TABLE identity_passkey (
	id TEXT PRIMARY KEY,
	account TEXT NOT NULL,
	name TEXT NOT NULL,
	credential TEXT NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	used_at BIGINT NOT NULL
);
CREATE INDEX identity_passkey_by_account ON identity_passkey (account);
-- Who acts for whom.
CREATE TABLE identity_mandate (
	id TEXT PRIMARY KEY,
	kind TEXT NOT NULL,
	state TEXT NOT NULL,
	agent TEXT NOT NULL,
	principal TEXT NOT NULL,
	scheme TEXT NOT NULL,
	number TEXT NOT NULL,
	name TEXT NOT NULL,
	procedures TEXT NOT NULL,
	from_day TEXT NOT NULL,
	until_day TEXT NOT NULL,
	attested_by TEXT NOT NULL,
	code_hash TEXT NOT NULL,
	code_expires_at BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	created_by TEXT NOT NULL,
	answered_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL,
	ended_by TEXT NOT NULL
);
CREATE INDEX identity_mandate_by_agent ON identity_mandate (agent);
CREATE INDEX identity_mandate_by_principal ON identity_mandate (principal);
CREATE UNIQUE INDEX identity_mandate_by_code ON identity_mandate (code_hash) WHERE code_hash <> '';
-- How a person wants to be told.
CREATE TABLE identity_preference (
	account TEXT PRIMARY KEY,
	language TEXT NOT NULL,
	channel TEXT NOT NULL,
	rhythm TEXT NOT NULL,
	sealed BYTEA NOT NULL,
	updated_at BIGINT NOT NULL
);
-- Which person a reference of a sector names, for this installation alone.
CREATE TABLE identity_reference (
	sector TEXT NOT NULL,
	reference TEXT NOT NULL,
	account TEXT NOT NULL,
	PRIMARY KEY (sector, reference)
);
CREATE INDEX identity_reference_by_account ON identity_reference (account);
