-- A document may be presented from a wallet instead of being fetched: by which way it
-- came, who issued it and how it stood when it was shown.
ALTER TABLE casework_evidence ADD COLUMN via TEXT NOT NULL DEFAULT '';
ALTER TABLE casework_evidence ADD COLUMN issuer TEXT NOT NULL DEFAULT '';
ALTER TABLE casework_evidence ADD COLUMN standing TEXT NOT NULL DEFAULT '';
