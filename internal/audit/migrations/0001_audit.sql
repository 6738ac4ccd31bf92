CREATE TABLE audit_entry (
	chain TEXT NOT NULL,
	seq BIGINT NOT NULL,
	at BIGINT NOT NULL,
	actor TEXT NOT NULL,
	action TEXT NOT NULL,
	subject TEXT NOT NULL,
	detail TEXT NOT NULL,
	hash BYTEA NOT NULL,
	PRIMARY KEY (chain, seq)
);
CREATE INDEX audit_by_subject ON audit_entry (chain, subject, seq);
CREATE TABLE audit_head (
	chain TEXT PRIMARY KEY,
	seq BIGINT NOT NULL,
	hash BYTEA NOT NULL
);
