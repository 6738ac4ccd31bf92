-- Verifiers that officers register stand beside those of the country's data; either can
-- be stopped, and stays so when the data are read again.
ALTER TABLE verifier_party ADD COLUMN made_by TEXT NOT NULL DEFAULT '';
ALTER TABLE verifier_party ADD COLUMN stopped_at BIGINT NOT NULL DEFAULT 0;
-- Which token follows another that was changed.
ALTER TABLE verifier_token ADD COLUMN follows TEXT NOT NULL DEFAULT '';
