-- Proofs in the order in which they are forgotten: what is remembered together lies
-- together on the disk, and nothing else is needed to forget it. When a proof ends is in
-- the proof itself, so that the same proof always has the same key. The table before
-- stays for copies of the program that still write to it.
CREATE TABLE credential_proof (
	ends_at BIGINT NOT NULL,
	proof TEXT NOT NULL,
	PRIMARY KEY (ends_at, proof)
);
INSERT INTO credential_proof (ends_at, proof) SELECT ends_at, proof FROM credential_seen;
