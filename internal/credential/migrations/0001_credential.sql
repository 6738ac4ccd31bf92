-- Types of credentials. A published version never changes.
CREATE TABLE credential_type (
	id TEXT NOT NULL,
	version BIGINT NOT NULL,
	state TEXT NOT NULL,
	body TEXT NOT NULL,
	changed_at BIGINT NOT NULL,
	changed_by TEXT NOT NULL,
	PRIMARY KEY (id, version)
);
-- One document for each decision and type.
CREATE TABLE credential_document (
	id TEXT PRIMARY KEY,
	source TEXT NOT NULL,
	type TEXT NOT NULL,
	version BIGINT NOT NULL,
	administration TEXT NOT NULL,
	person TEXT NOT NULL,
	decided_by TEXT NOT NULL,
	decided_on TEXT NOT NULL,
	state TEXT NOT NULL,
	sealed BYTEA NOT NULL,
	number TEXT NOT NULL,
	valid_from TEXT NOT NULL,
	valid_until TEXT NOT NULL,
	signed_by TEXT NOT NULL,
	tries BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX credential_document_by_source ON credential_document (source, type);
CREATE UNIQUE INDEX credential_document_by_number ON credential_document (number) WHERE number <> '';
CREATE INDEX credential_document_by_person ON credential_document (person, created_at);
CREATE INDEX credential_document_by_office ON credential_document (administration, state, created_at);
-- What happened to a document, who did it and why. It names no holder.
CREATE TABLE credential_event (
	document TEXT NOT NULL,
	seq BIGINT NOT NULL,
	kind TEXT NOT NULL,
	actor TEXT NOT NULL,
	reason TEXT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (document, seq)
);
-- Status lists, and how many places of each were given.
CREATE TABLE credential_list (
	id TEXT PRIMARY KEY,
	places BIGINT NOT NULL,
	given BIGINT NOT NULL,
	changes BIGINT NOT NULL,
	created_at BIGINT NOT NULL
);
-- Copies that were issued: to a wallet, or on paper.
CREATE TABLE credential_copy (
	list TEXT NOT NULL,
	place BIGINT NOT NULL,
	document TEXT NOT NULL,
	format TEXT NOT NULL,
	status BIGINT NOT NULL,
	wallet TEXT NOT NULL,
	notification TEXT NOT NULL,
	issued_at BIGINT NOT NULL,
	ends_at BIGINT NOT NULL,
	PRIMARY KEY (list, place)
);
CREATE INDEX credential_copy_by_document ON credential_copy (document);
CREATE INDEX credential_copy_by_status ON credential_copy (list, status) WHERE status <> 0;
CREATE INDEX credential_copy_by_wallet ON credential_copy (wallet) WHERE wallet <> '';
CREATE INDEX credential_copy_by_notification ON credential_copy (notification) WHERE notification <> '';
-- Offers and authorization codes. Codes lie as hashes.
CREATE TABLE credential_grant (
	id TEXT PRIMARY KEY,
	kind TEXT NOT NULL,
	code TEXT NOT NULL,
	tx_code TEXT NOT NULL,
	tries BIGINT NOT NULL,
	body TEXT NOT NULL,
	state TEXT NOT NULL,
	ends_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX credential_grant_by_code ON credential_grant (code) WHERE code <> '';
CREATE INDEX credential_grant_by_end ON credential_grant (ends_at);
CREATE TABLE credential_token (
	hash TEXT PRIMARY KEY,
	grant_id TEXT NOT NULL,
	key TEXT NOT NULL,
	wallet TEXT NOT NULL,
	body TEXT NOT NULL,
	issued BIGINT NOT NULL,
	ends_at BIGINT NOT NULL
);
CREATE INDEX credential_token_by_end ON credential_token (ends_at);
CREATE TABLE credential_deferred (
	id TEXT PRIMARY KEY,
	token TEXT NOT NULL,
	body TEXT NOT NULL,
	ends_at BIGINT NOT NULL
);
CREATE INDEX credential_deferred_by_end ON credential_deferred (ends_at);
-- Proofs of possession that were seen, until they are too old to be brought again.
CREATE TABLE credential_seen (
	proof TEXT PRIMARY KEY,
	ends_at BIGINT NOT NULL
);
CREATE INDEX credential_seen_by_end ON credential_seen (ends_at);
-- What wallets told of what they got. Telling twice is telling once.
CREATE TABLE credential_told (
	notification TEXT NOT NULL,
	event TEXT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (notification, event)
);
-- Wallets that the people of this installation registered.
CREATE TABLE credential_wallet (
	id TEXT PRIMARY KEY,
	person TEXT NOT NULL,
	name TEXT NOT NULL,
	key TEXT NOT NULL,
	state TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	seen_at BIGINT NOT NULL
);
CREATE INDEX credential_wallet_by_person ON credential_wallet (person, created_at);
CREATE TABLE credential_certificate (
	holder TEXT NOT NULL,
	key_id TEXT NOT NULL,
	certificate BYTEA NOT NULL,
	made_at BIGINT NOT NULL,
	PRIMARY KEY (holder, key_id)
);
