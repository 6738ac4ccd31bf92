-- What a case began with, once for all cases that share it.
CREATE TABLE casework_terms (
	digest TEXT PRIMARY KEY,
	body TEXT NOT NULL
);
-- Forms as they were published. A published one never changes.
CREATE TABLE casework_form (
	procedure TEXT NOT NULL,
	version TEXT NOT NULL,
	state TEXT NOT NULL,
	body TEXT NOT NULL,
	changed_at BIGINT NOT NULL,
	changed_by TEXT NOT NULL,
	PRIMARY KEY (procedure, version)
);
CREATE TABLE casework_draft (
	id TEXT PRIMARY KEY,
	person TEXT NOT NULL,
	filer TEXT NOT NULL,
	administration TEXT NOT NULL,
	procedure TEXT NOT NULL,
	form TEXT NOT NULL,
	page TEXT NOT NULL,
	sealed BYTEA NOT NULL,
	version BIGINT NOT NULL,
	filed TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);
CREATE INDEX casework_draft_by_filer ON casework_draft (filer, updated_at);
CREATE TABLE casework_case (
	administration TEXT NOT NULL,
	id TEXT NOT NULL,
	number TEXT NOT NULL,
	procedure TEXT NOT NULL,
	terms TEXT NOT NULL,
	form TEXT NOT NULL,
	unit TEXT NOT NULL,
	person TEXT NOT NULL,
	reference TEXT NOT NULL,
	filer TEXT NOT NULL,
	lang TEXT NOT NULL,
	channel TEXT NOT NULL,
	state TEXT NOT NULL,
	open BOOLEAN NOT NULL,
	filed_on TEXT NOT NULL,
	due TEXT NOT NULL,
	silence_from TEXT NOT NULL,
	next_on TEXT NOT NULL,
	last_on TEXT NOT NULL,
	assigned TEXT NOT NULL,
	asked_of TEXT NOT NULL,
	duplicate TEXT NOT NULL,
	earlier TEXT NOT NULL,
	sealed BYTEA NOT NULL,
	head TEXT NOT NULL,
	events BIGINT NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (administration, id)
);
CREATE UNIQUE INDEX casework_case_by_number ON casework_case (number);
CREATE INDEX casework_case_by_filer ON casework_case (filer, created_at);
CREATE INDEX casework_case_by_person ON casework_case (person, created_at);
CREATE INDEX casework_case_by_due ON casework_case (administration, due, id) WHERE open;
CREATE INDEX casework_case_by_unit ON casework_case (administration, unit, due, id) WHERE open;
CREATE INDEX casework_case_by_assigned ON casework_case (administration, assigned, due, id) WHERE open;
CREATE INDEX casework_case_by_state ON casework_case (administration, state, due, id);
CREATE INDEX casework_case_by_age ON casework_case (administration, created_at, id);
CREATE INDEX casework_case_by_next ON casework_case (next_on) WHERE next_on <> '';
CREATE INDEX casework_case_by_duplicate ON casework_case (administration, duplicate) WHERE duplicate <> '';
CREATE TABLE casework_event (
	administration TEXT NOT NULL,
	case_id TEXT NOT NULL,
	seq BIGINT NOT NULL,
	type TEXT NOT NULL,
	on_day TEXT NOT NULL,
	at BIGINT NOT NULL,
	actor TEXT NOT NULL,
	clear TEXT NOT NULL,
	sealed BYTEA NOT NULL,
	hash TEXT NOT NULL,
	PRIMARY KEY (administration, case_id, seq)
);
-- The ledger of what was asked: nothing is asked twice.
CREATE TABLE casework_asked (
	administration TEXT NOT NULL,
	case_id TEXT NOT NULL,
	item TEXT NOT NULL,
	seq BIGINT NOT NULL,
	PRIMARY KEY (administration, case_id, item)
);
-- What is to be told, written with what happened; who sends it marks it.
CREATE TABLE casework_notice (
	id TEXT PRIMARY KEY,
	administration TEXT NOT NULL,
	case_id TEXT NOT NULL,
	seq BIGINT NOT NULL,
	to_account TEXT NOT NULL,
	kind TEXT NOT NULL,
	made_at BIGINT NOT NULL,
	sent_at BIGINT NOT NULL,
	tries BIGINT NOT NULL
);
CREATE INDEX casework_notice_waiting ON casework_notice (made_at) WHERE sent_at = 0;
-- What the person allowed to be fetched, and what came.
CREATE TABLE casework_evidence (
	id TEXT PRIMARY KEY,
	person TEXT NOT NULL,
	filer TEXT NOT NULL,
	draft TEXT NOT NULL,
	case_number TEXT NOT NULL,
	administration TEXT NOT NULL,
	procedure TEXT NOT NULL,
	evidence TEXT NOT NULL,
	service TEXT NOT NULL,
	source TEXT NOT NULL,
	fields TEXT NOT NULL,
	purpose TEXT NOT NULL,
	state TEXT NOT NULL,
	copy BYTEA NOT NULL,
	exchange TEXT NOT NULL,
	failure TEXT NOT NULL,
	consented_at BIGINT NOT NULL,
	until_day TEXT NOT NULL,
	fetched_at BIGINT NOT NULL,
	agreed_at BIGINT NOT NULL,
	withdrawn_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX casework_evidence_of_draft ON casework_evidence (draft, evidence) WHERE draft <> '' AND state <> 'withdrawn';
CREATE INDEX casework_evidence_by_person ON casework_evidence (person, consented_at);
CREATE INDEX casework_evidence_by_case ON casework_evidence (case_number) WHERE case_number <> '';
-- Certificates of the seals of administrations, and of the authority that made
-- them; their keys lie sealed elsewhere.
CREATE TABLE casework_seal (
	holder TEXT PRIMARY KEY,
	key_id TEXT NOT NULL,
	certificate BYTEA NOT NULL
);
