-- Contracts of the member, as the directory gave them; each signature is checked
-- again whenever they are loaded.
CREATE TABLE gateway_contract (
	hash TEXT PRIMARY KEY,
	content BYTEA NOT NULL,
	signatures TEXT NOT NULL
);
-- How far each node has read something: contracts, its journal.
CREATE TABLE gateway_cursor (
	node TEXT NOT NULL,
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (node, name)
);
-- Requests that may change something, by the client's own X-Road-Id: claimed
-- before the service is asked.
CREATE TABLE gateway_outcome (
	client TEXT NOT NULL,
	message_id TEXT NOT NULL,
	fingerprint TEXT NOT NULL,
	body_sum TEXT NOT NULL,
	state TEXT NOT NULL,
	node TEXT NOT NULL,
	boot TEXT NOT NULL,
	contract TEXT NOT NULL,
	status BIGINT NOT NULL,
	head BYTEA NOT NULL,
	body BYTEA NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (client, message_id)
);
CREATE INDEX gateway_outcome_by_time ON gateway_outcome (at);
-- The journal made searchable: one row an exchange and side.
CREATE TABLE gateway_exchange (
	node TEXT NOT NULL,
	request TEXT NOT NULL,
	side TEXT NOT NULL,
	at BIGINT NOT NULL,
	client TEXT NOT NULL,
	service TEXT NOT NULL,
	method TEXT NOT NULL,
	operation TEXT NOT NULL,
	message_id TEXT NOT NULL,
	subject TEXT NOT NULL,
	contract TEXT NOT NULL,
	status BIGINT NOT NULL,
	fault TEXT NOT NULL,
	request_seq BIGINT NOT NULL,
	response_seq BIGINT NOT NULL,
	PRIMARY KEY (request, side, node)
);
CREATE INDEX gateway_exchange_by_time ON gateway_exchange (at);
CREATE INDEX gateway_exchange_by_message ON gateway_exchange (message_id);
CREATE INDEX gateway_exchange_by_subject ON gateway_exchange (subject, at) WHERE subject <> '';
CREATE TABLE gateway_usage (
	node TEXT NOT NULL,
	hour BIGINT NOT NULL,
	side TEXT NOT NULL,
	client TEXT NOT NULL,
	service TEXT NOT NULL,
	calls BIGINT NOT NULL,
	errors BIGINT NOT NULL,
	bytes BIGINT NOT NULL,
	millis_total BIGINT NOT NULL,
	millis_max BIGINT NOT NULL,
	reported BIGINT NOT NULL,
	PRIMARY KEY (node, hour, side, client, service)
);
CREATE INDEX gateway_usage_by_report ON gateway_usage (node, reported);
CREATE TABLE gateway_monitoring (
	id TEXT PRIMARY KEY,
	node TEXT NOT NULL,
	at BIGINT NOT NULL,
	body TEXT NOT NULL
);
CREATE INDEX gateway_monitoring_by_time ON gateway_monitoring (at);
-- What the directory is still to be told of exchanges about people.
CREATE TABLE gateway_notice (
	id TEXT PRIMARY KEY,
	node TEXT NOT NULL,
	at BIGINT NOT NULL,
	body TEXT NOT NULL
);
CREATE INDEX gateway_notice_by_node ON gateway_notice (node, at);
-- Bytes that passed under a contract's grant in a day, over all nodes.
CREATE TABLE gateway_volume (
	permit TEXT NOT NULL,
	day BIGINT NOT NULL,
	bytes BIGINT NOT NULL,
	PRIMARY KEY (permit, day)
);
CREATE TABLE gateway_counter (
	name TEXT PRIMARY KEY,
	n BIGINT NOT NULL
);
-- Events that our systems published, in the order in which they may be read.
CREATE TABLE gateway_event (
	seq BIGINT PRIMARY KEY,
	subsystem TEXT NOT NULL,
	service TEXT NOT NULL,
	source TEXT NOT NULL,
	event_id TEXT NOT NULL,
	type TEXT NOT NULL,
	body BYTEA NOT NULL,
	at BIGINT NOT NULL
);
CREATE INDEX gateway_event_by_service ON gateway_event (service, seq);
CREATE INDEX gateway_event_by_time ON gateway_event (at);
CREATE UNIQUE INDEX gateway_event_by_id ON gateway_event (subsystem, source, event_id);
-- What we follow: how far it was read, and which node reads now.
CREATE TABLE gateway_subscription (
	name TEXT PRIMARY KEY,
	next_seq BIGINT NOT NULL,
	lease TEXT NOT NULL,
	lease_until BIGINT NOT NULL
);
CREATE TABLE gateway_delivery (
	subscription TEXT NOT NULL,
	seq BIGINT NOT NULL,
	subject TEXT NOT NULL,
	event_id TEXT NOT NULL,
	body BYTEA NOT NULL,
	attempts BIGINT NOT NULL,
	next_at BIGINT NOT NULL,
	dead_at BIGINT NOT NULL,
	error TEXT NOT NULL,
	PRIMARY KEY (subscription, seq)
);
CREATE INDEX gateway_delivery_by_subject ON gateway_delivery (subscription, dead_at, subject, seq);
