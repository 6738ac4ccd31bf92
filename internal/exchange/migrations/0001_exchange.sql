-- Who takes part in the exchange.
CREATE TABLE exchange_member (
	id TEXT PRIMARY KEY,
	administration TEXT NOT NULL,
	name TEXT NOT NULL,
	contact TEXT NOT NULL,
	log_key TEXT NOT NULL,
	witness_key TEXT NOT NULL,
	suspended BIGINT NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE TABLE exchange_node (
	member TEXT NOT NULL,
	name TEXT NOT NULL,
	addresses TEXT NOT NULL,
	http TEXT NOT NULL,
	hosts TEXT NOT NULL,
	maintenance TEXT NOT NULL,
	seen_at BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (member, name)
);
-- Keys and certificates that were ever trusted; the hash is what a revocation names.
CREATE TABLE exchange_key (
	sha256 TEXT PRIMARY KEY,
	member TEXT NOT NULL,
	node TEXT NOT NULL,
	kind TEXT NOT NULL,
	der BYTEA NOT NULL,
	not_before BIGINT NOT NULL,
	not_after BIGINT NOT NULL,
	revoked_at BIGINT NOT NULL,
	reason TEXT NOT NULL
);
CREATE INDEX exchange_key_by_member ON exchange_key (member, node, kind);
CREATE TABLE exchange_token (
	hash TEXT PRIMARY KEY,
	member TEXT NOT NULL,
	node TEXT NOT NULL,
	made_by TEXT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at BIGINT NOT NULL
);
CREATE TABLE exchange_subsystem (
	id TEXT PRIMARY KEY,
	member TEXT NOT NULL,
	code TEXT NOT NULL,
	name TEXT NOT NULL
);
CREATE INDEX exchange_subsystem_by_member ON exchange_subsystem (member, code);
CREATE TABLE exchange_service (
	id TEXT PRIMARY KEY,
	member TEXT NOT NULL,
	subsystem TEXT NOT NULL,
	code TEXT NOT NULL,
	kind TEXT NOT NULL,
	title TEXT NOT NULL,
	endpoints TEXT NOT NULL,
	classification TEXT NOT NULL,
	legal_basis TEXT NOT NULL,
	events TEXT NOT NULL,
	description TEXT NOT NULL,
	maintenance TEXT NOT NULL,
	updated_at BIGINT NOT NULL
);
CREATE INDEX exchange_service_by_member ON exchange_service (member, subsystem, code);
CREATE TABLE exchange_contract (
	hash TEXT PRIMARY KEY,
	iv TEXT NOT NULL,
	content BYTEA NOT NULL,
	not_after BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	changed BIGINT NOT NULL
);
CREATE UNIQUE INDEX exchange_contract_by_iv ON exchange_contract (iv);
CREATE INDEX exchange_contract_by_change ON exchange_contract (changed);
CREATE TABLE exchange_contract_party (
	contract TEXT NOT NULL,
	member TEXT NOT NULL,
	PRIMARY KEY (contract, member)
);
CREATE INDEX exchange_contract_party_by_member ON exchange_contract_party (member, contract);
CREATE TABLE exchange_signature (
	contract TEXT NOT NULL,
	member TEXT NOT NULL,
	kind TEXT NOT NULL,
	signed_at BIGINT NOT NULL,
	jws TEXT NOT NULL,
	PRIMARY KEY (contract, member, kind)
);
-- One row: how often what gateways must know has changed.
CREATE TABLE exchange_state (
	id BIGINT PRIMARY KEY,
	revision BIGINT NOT NULL
);
INSERT INTO exchange_state (id, revision) VALUES (1, 1);
CREATE TABLE exchange_index (
	serial BIGINT PRIMARY KEY,
	revision BIGINT NOT NULL,
	signed BYTEA NOT NULL,
	issued_at BIGINT NOT NULL
);
CREATE TABLE exchange_part (
	sha256 TEXT PRIMARY KEY,
	member TEXT NOT NULL,
	body BYTEA NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE TABLE exchange_description (
	sha256 TEXT PRIMARY KEY,
	body BYTEA NOT NULL
);
-- What the person concerned may see of exchanges about them; no content.
CREATE TABLE exchange_notice (
	id TEXT NOT NULL,
	member TEXT NOT NULL,
	side TEXT NOT NULL,
	at BIGINT NOT NULL,
	client TEXT NOT NULL,
	service TEXT NOT NULL,
	operation TEXT NOT NULL,
	contract TEXT NOT NULL,
	subject TEXT NOT NULL,
	request TEXT NOT NULL,
	status BIGINT NOT NULL,
	PRIMARY KEY (id, member, side)
);
CREATE INDEX exchange_notice_by_subject ON exchange_notice (subject, at);
CREATE TABLE exchange_usage (
	hour BIGINT NOT NULL,
	member TEXT NOT NULL,
	node TEXT NOT NULL,
	side TEXT NOT NULL,
	client TEXT NOT NULL,
	service TEXT NOT NULL,
	calls BIGINT NOT NULL,
	errors BIGINT NOT NULL,
	bytes BIGINT NOT NULL,
	millis_total BIGINT NOT NULL,
	millis_max BIGINT NOT NULL,
	PRIMARY KEY (hour, member, node, side, client, service)
);
-- Signed requests of gateways that were seen, so that none is taken twice.
CREATE TABLE exchange_nonce (
	nonce TEXT PRIMARY KEY,
	expires_at BIGINT NOT NULL
);
-- What people ask about exchanges of their data.
CREATE TABLE exchange_question (
	id TEXT PRIMARY KEY,
	subject TEXT NOT NULL,
	request TEXT NOT NULL,
	kind TEXT NOT NULL,
	words TEXT NOT NULL,
	asked_at BIGINT NOT NULL,
	answer TEXT NOT NULL,
	answered_at BIGINT NOT NULL,
	answered_by TEXT NOT NULL
);
CREATE INDEX exchange_question_by_subject ON exchange_question (subject, asked_at);
CREATE INDEX exchange_question_open ON exchange_question (answered_at, asked_at);
