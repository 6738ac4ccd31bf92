-- What a token brought in, and by which link key: whoever holds that key gets the
-- same answer again while the token lasts.
ALTER TABLE exchange_token ADD COLUMN used_by TEXT NOT NULL DEFAULT '';
ALTER TABLE exchange_token ADD COLUMN admission TEXT NOT NULL DEFAULT '';
