CREATE TABLE catalogue_item (
	kind TEXT NOT NULL,
	id TEXT NOT NULL,
	body TEXT NOT NULL,
	origin TEXT NOT NULL,
	changed_at BIGINT NOT NULL,
	PRIMARY KEY (kind, id)
);
CREATE TABLE catalogue_procedure (
	id TEXT PRIMARY KEY,
	administration TEXT NOT NULL,
	latest BIGINT NOT NULL,
	shown BIGINT NOT NULL,
	changed_at BIGINT NOT NULL
);
CREATE INDEX catalogue_procedure_by_administration ON catalogue_procedure (administration, id);
CREATE TABLE catalogue_version (
	procedure TEXT NOT NULL,
	version BIGINT NOT NULL,
	state TEXT NOT NULL,
	body TEXT NOT NULL,
	author TEXT NOT NULL,
	origin TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	changed_at BIGINT NOT NULL,
	PRIMARY KEY (procedure, version)
);
CREATE INDEX catalogue_version_by_state ON catalogue_version (state, procedure);
CREATE TABLE catalogue_revision (
	id TEXT PRIMARY KEY,
	n BIGINT NOT NULL
);
CREATE TABLE catalogue_feedback (
	id TEXT PRIMARY KEY,
	procedure TEXT NOT NULL,
	version BIGINT NOT NULL,
	lang TEXT NOT NULL,
	useful BOOLEAN NOT NULL,
	comment TEXT NOT NULL,
	at BIGINT NOT NULL
);
CREATE INDEX catalogue_feedback_by_procedure ON catalogue_feedback (procedure, at);
