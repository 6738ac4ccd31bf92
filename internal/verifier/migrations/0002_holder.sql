-- Whom the document has to be about, where a request is made for one person.
ALTER TABLE verifier_request ADD COLUMN holder TEXT NOT NULL DEFAULT '';
