-- How many entries each log has; taken first by whoever appends.
CREATE TABLE translog_log (
	origin TEXT PRIMARY KEY,
	size BIGINT NOT NULL
);
-- How far each journal was fed into the log.
CREATE TABLE translog_source (
	origin TEXT NOT NULL,
	source TEXT NOT NULL,
	seq BIGINT NOT NULL,
	PRIMARY KEY (origin, source)
);
CREATE TABLE translog_entry (
	origin TEXT NOT NULL,
	idx BIGINT NOT NULL,
	entry BYTEA NOT NULL,
	PRIMARY KEY (origin, idx)
);
CREATE INDEX translog_entry_by_hash ON translog_entry (origin, entry);
-- Up to 256 hashes of 32 bytes each.
CREATE TABLE translog_tile (
	origin TEXT NOT NULL,
	level BIGINT NOT NULL,
	n BIGINT NOT NULL,
	data BYTEA NOT NULL,
	PRIMARY KEY (origin, level, n)
);
-- Checkpoints as the log signed them; stamped_at is 0 until a time stamp came.
CREATE TABLE translog_checkpoint (
	origin TEXT NOT NULL,
	size BIGINT NOT NULL,
	root BYTEA NOT NULL,
	note BYTEA NOT NULL,
	signed_at BIGINT NOT NULL,
	stamp BYTEA NOT NULL,
	stamped_at BIGINT NOT NULL,
	PRIMARY KEY (origin, size)
);
CREATE TABLE translog_cosignature (
	origin TEXT NOT NULL,
	size BIGINT NOT NULL,
	witness TEXT NOT NULL,
	line TEXT NOT NULL,
	cosigned_at BIGINT NOT NULL,
	PRIMARY KEY (origin, size, witness)
);
-- What a witness saw last of each log.
CREATE TABLE translog_seen (
	witness TEXT NOT NULL,
	origin TEXT NOT NULL,
	size BIGINT NOT NULL,
	root BYTEA NOT NULL,
	note BYTEA NOT NULL,
	seen_at BIGINT NOT NULL,
	PRIMARY KEY (witness, origin)
);
-- Two signed checkpoints of one size with two roots: the log lied to somebody.
CREATE TABLE translog_fork (
	witness TEXT NOT NULL,
	origin TEXT NOT NULL,
	size BIGINT NOT NULL,
	kept BYTEA NOT NULL,
	offered BYTEA NOT NULL,
	offered_at BIGINT NOT NULL,
	PRIMARY KEY (witness, origin, size)
);
