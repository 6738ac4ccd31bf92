-- The nodes that share this database: which process each is, and when it last said
-- so.
CREATE TABLE gateway_node (
	node TEXT PRIMARY KEY,
	boot TEXT NOT NULL,
	seen BIGINT NOT NULL
);
