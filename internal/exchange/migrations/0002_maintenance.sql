-- Who closed a node for maintenance, and since when.
ALTER TABLE exchange_node ADD COLUMN maintenance_by TEXT NOT NULL DEFAULT '';
ALTER TABLE exchange_node ADD COLUMN maintenance_since BIGINT NOT NULL DEFAULT 0;
