-- The serial numbers that an authority has given, with what it stamped: a number
-- is written before its stamp leaves, and never again.
CREATE TABLE stamp_issued (
	authority TEXT NOT NULL,
	serial TEXT NOT NULL,
	stamped_at BIGINT NOT NULL,
	imprint BYTEA NOT NULL,
	PRIMARY KEY (authority, serial)
);
CREATE INDEX stamp_issued_by_time ON stamp_issued (authority, stamped_at);
