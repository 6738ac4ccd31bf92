-- People who ask on the pages as a verifier. Whom an officer invited, in the officer's
-- words, stands beside the account that came.
CREATE TABLE verifier_person (
	verifier TEXT NOT NULL,
	account TEXT NOT NULL,
	label TEXT NOT NULL,
	invited_by TEXT NOT NULL,
	since BIGINT NOT NULL,
	asked_at BIGINT NOT NULL,
	PRIMARY KEY (verifier, account)
);
CREATE INDEX verifier_person_by_account ON verifier_person (account);
-- Invitations that can still be used: the row goes with its use. Of the link and of the
-- code only what recognises them is kept.
CREATE TABLE verifier_invitation (
	id TEXT PRIMARY KEY,
	verifier TEXT NOT NULL,
	label TEXT NOT NULL,
	link_hash TEXT NOT NULL,
	code_mac TEXT NOT NULL,
	tries BIGINT NOT NULL,
	made_by TEXT NOT NULL,
	made_at BIGINT NOT NULL,
	ends_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX verifier_invitation_by_link ON verifier_invitation (link_hash);
CREATE INDEX verifier_invitation_by_verifier ON verifier_invitation (verifier, ends_at);
CREATE INDEX verifier_invitation_ends ON verifier_invitation (ends_at);
-- Who asked as one of a verifier's people: nobody else reads the answer.
ALTER TABLE verifier_request ADD COLUMN asked_by TEXT NOT NULL DEFAULT '';
