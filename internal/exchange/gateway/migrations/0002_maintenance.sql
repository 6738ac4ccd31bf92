-- Nodes that are closed for maintenance. An empty reason is one that was opened
-- again and of which the directory does not know yet.
CREATE TABLE gateway_maintenance (
	node TEXT PRIMARY KEY,
	reason TEXT NOT NULL,
	closed_by TEXT NOT NULL,
	since BIGINT NOT NULL,
	told BIGINT NOT NULL
);
