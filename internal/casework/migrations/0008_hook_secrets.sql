-- The secret that signs what an address is told, sealed. Those from before lie in
-- the column secret until the program, which alone has the keys, has sealed them.
ALTER TABLE casework_hook ADD COLUMN sealed BYTEA;
