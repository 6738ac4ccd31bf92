-- What people say of how their case went: one number, and a remark sealed under
-- their key.
CREATE TABLE casework_rating (
	administration TEXT NOT NULL,
	case_id TEXT NOT NULL,
	person TEXT NOT NULL,
	number TEXT NOT NULL,
	procedure TEXT NOT NULL,
	stars BIGINT NOT NULL,
	remark BYTEA NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (administration, case_id)
);
CREATE INDEX casework_rating_by_age ON casework_rating (administration, at);
CREATE TABLE casework_complaint (
	administration TEXT NOT NULL,
	id TEXT NOT NULL,
	number TEXT NOT NULL,
	person TEXT NOT NULL,
	case_number TEXT NOT NULL,
	state TEXT NOT NULL,
	received_on TEXT NOT NULL,
	due TEXT NOT NULL,
	closed_on TEXT NOT NULL,
	sealed BYTEA NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (administration, id)
);
CREATE UNIQUE INDEX casework_complaint_by_number ON casework_complaint (number);
CREATE INDEX casework_complaint_by_person ON casework_complaint (person, created_at);
CREATE INDEX casework_complaint_open ON casework_complaint (administration, due, id) WHERE closed_on = '';
-- The indicators of a year, counted by the program now and then.
CREATE TABLE casework_indicators (
	year BIGINT PRIMARY KEY,
	body TEXT NOT NULL,
	made_at BIGINT NOT NULL
);
