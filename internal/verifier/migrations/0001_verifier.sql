-- Who may ask for documents, what and why: from the country's data.
CREATE TABLE verifier_party (
	id TEXT PRIMARY KEY,
	body TEXT NOT NULL,
	updated_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL
);
-- Programs of verifiers. Of a token only its hash is kept.
CREATE TABLE verifier_token (
	id TEXT PRIMARY KEY,
	verifier TEXT NOT NULL,
	name TEXT NOT NULL,
	hash TEXT NOT NULL,
	made_by TEXT NOT NULL,
	made_at BIGINT NOT NULL,
	ends_at BIGINT NOT NULL,
	revoked_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX verifier_token_by_hash ON verifier_token (hash);
CREATE INDEX verifier_token_by_verifier ON verifier_token (verifier, made_at);
-- Requests to wallets. Of the secrets only hashes are kept; the key of the answer and
-- what the answer says lie sealed. The whole row goes at gone_at.
CREATE TABLE verifier_request (
	id TEXT PRIMARY KEY,
	verifier TEXT NOT NULL,
	template TEXT NOT NULL,
	query TEXT NOT NULL,
	keep TEXT NOT NULL,
	minutes BIGINT NOT NULL,
	flow TEXT NOT NULL,
	return_uri TEXT NOT NULL,
	client_id TEXT NOT NULL,
	nonce TEXT NOT NULL,
	sealed_key BYTEA NOT NULL,
	secret_hash TEXT NOT NULL,
	session_hash TEXT NOT NULL,
	code_hash TEXT NOT NULL,
	state TEXT NOT NULL,
	reasons TEXT NOT NULL,
	wallet_error TEXT NOT NULL,
	sealed_result BYTEA NOT NULL,
	created_at BIGINT NOT NULL,
	ends_at BIGINT NOT NULL,
	answered_at BIGINT NOT NULL,
	gone_at BIGINT NOT NULL
);
CREATE INDEX verifier_request_gone ON verifier_request (gone_at);
