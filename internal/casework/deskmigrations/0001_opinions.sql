-- What other administrations and units are asked about a case. The question and
-- the answer stand in the case's journal, sealed with it; here are their places.
CREATE TABLE casework_opinion (
	id TEXT PRIMARY KEY,
	administration TEXT NOT NULL,
	case_id TEXT NOT NULL,
	to_administration TEXT NOT NULL,
	to_unit TEXT NOT NULL,
	state TEXT NOT NULL,
	due TEXT NOT NULL,
	result TEXT NOT NULL,
	asked_seq BIGINT NOT NULL,
	asked_by TEXT NOT NULL,
	asked_at BIGINT NOT NULL,
	given_seq BIGINT NOT NULL,
	given_by TEXT NOT NULL,
	given_at BIGINT NOT NULL,
	reminded TEXT NOT NULL
);
CREATE UNIQUE INDEX casework_opinion_once ON casework_opinion (administration, case_id, to_administration, to_unit) WHERE state = 'open';
CREATE INDEX casework_opinion_by_case ON casework_opinion (administration, case_id);
CREATE INDEX casework_opinion_by_asked ON casework_opinion (to_administration, state, due, id);
CREATE INDEX casework_opinion_by_due ON casework_opinion (due) WHERE state = 'open';
