-- What was read: one row a file, by the hash of its bytes.
CREATE TABLE gazette_source (
	id TEXT PRIMARY KEY,
	sha256 TEXT NOT NULL,
	name TEXT NOT NULL,
	title TEXT NOT NULL,
	origin TEXT NOT NULL,
	format TEXT NOT NULL,
	lang TEXT NOT NULL,
	bytes BIGINT NOT NULL,
	pages BIGINT NOT NULL,
	flags TEXT NOT NULL,
	state TEXT NOT NULL,
	code TEXT NOT NULL,
	detail TEXT NOT NULL,
	repairs TEXT NOT NULL,
	confidence DOUBLE PRECISION NOT NULL,
	created_at BIGINT NOT NULL,
	created_by TEXT NOT NULL
);
CREATE UNIQUE INDEX gazette_source_by_hash ON gazette_source (sha256);
CREATE INDEX gazette_source_by_state ON gazette_source (state, created_at);
CREATE TABLE gazette_page (
	source TEXT NOT NULL,
	number BIGINT NOT NULL,
	width BIGINT NOT NULL,
	height BIGINT NOT NULL,
	method TEXT NOT NULL,
	confidence DOUBLE PRECISION NOT NULL,
	disagreement DOUBLE PRECISION NOT NULL,
	lines TEXT NOT NULL,
	image TEXT NOT NULL,
	checked_at BIGINT NOT NULL,
	checked_by TEXT NOT NULL,
	PRIMARY KEY (source, number)
);
CREATE INDEX gazette_page_by_confidence ON gazette_page (checked_at, confidence);
CREATE TABLE gazette_issue (
	id TEXT PRIMARY KEY,
	edition TEXT NOT NULL,
	year BIGINT NOT NULL,
	number BIGINT NOT NULL,
	bis BOOLEAN NOT NULL,
	day TEXT NOT NULL,
	hijri TEXT NOT NULL,
	source TEXT NOT NULL,
	demo BOOLEAN NOT NULL,
	summary TEXT NOT NULL
);
CREATE INDEX gazette_issue_by_year ON gazette_issue (year, number);
CREATE TABLE gazette_work (
	id TEXT PRIMARY KEY,
	kind TEXT NOT NULL,
	number TEXT NOT NULL,
	number_key TEXT NOT NULL,
	year BIGINT NOT NULL,
	signed TEXT NOT NULL,
	hijri TEXT NOT NULL,
	authority TEXT NOT NULL,
	titles TEXT NOT NULL,
	subject TEXT NOT NULL,
	suspect BOOLEAN NOT NULL,
	demo BOOLEAN NOT NULL,
	state TEXT NOT NULL,
	state_since TEXT NOT NULL,
	state_by TEXT NOT NULL,
	reasons TEXT NOT NULL,
	cited BIGINT NOT NULL,
	short TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	changed_at BIGINT NOT NULL
);
CREATE INDEX gazette_work_by_number ON gazette_work (number_key, kind);
CREATE INDEX gazette_work_by_subject ON gazette_work (subject, year);
CREATE INDEX gazette_work_by_year ON gazette_work (year, kind);
CREATE UNIQUE INDEX gazette_work_by_short ON gazette_work (short);
-- A text is one language of a work from one source; its pieces follow.
CREATE TABLE gazette_text (
	id TEXT PRIMARY KEY,
	work TEXT NOT NULL,
	lang TEXT NOT NULL,
	form TEXT NOT NULL,
	version TEXT NOT NULL,
	source TEXT NOT NULL,
	title TEXT NOT NULL,
	subject_line TEXT NOT NULL,
	head TEXT NOT NULL,
	digest TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	created_by TEXT NOT NULL
);
CREATE INDEX gazette_text_by_work ON gazette_text (work, lang, version);
CREATE INDEX gazette_text_by_source ON gazette_text (source);
CREATE INDEX gazette_text_by_digest ON gazette_text (digest);
-- A piece as it reads from valid_from up to the day before valid_until.
-- Amended rows carry the work that made them read so; they are computed from
-- the others and may be thrown away and computed again.
CREATE TABLE gazette_piece (
	text TEXT NOT NULL,
	work TEXT NOT NULL,
	position BIGINT NOT NULL,
	eid TEXT NOT NULL,
	kind TEXT NOT NULL,
	depth BIGINT NOT NULL,
	label TEXT NOT NULL,
	num TEXT NOT NULL,
	heading TEXT NOT NULL,
	body TEXT NOT NULL,
	repealed BOOLEAN NOT NULL,
	valid_from TEXT NOT NULL,
	valid_until TEXT NOT NULL,
	by_work TEXT NOT NULL,
	page BIGINT NOT NULL,
	box TEXT NOT NULL,
	confidence DOUBLE PRECISION NOT NULL,
	PRIMARY KEY (text, eid, valid_from)
);
CREATE INDEX gazette_piece_by_confidence ON gazette_piece (confidence) WHERE confidence < 0.95;
CREATE TABLE gazette_link (
	text TEXT NOT NULL,
	eid TEXT NOT NULL,
	n BIGINT NOT NULL,
	work TEXT NOT NULL,
	relation TEXT NOT NULL,
	to_key TEXT NOT NULL,
	to_work TEXT NOT NULL,
	to_eid TEXT NOT NULL,
	citation TEXT NOT NULL,
	PRIMARY KEY (text, eid, n)
);
CREATE INDEX gazette_link_by_target ON gazette_link (to_work, relation);
CREATE INDEX gazette_link_by_work ON gazette_link (work);
CREATE INDEX gazette_link_by_key ON gazette_link (to_key);
CREATE TABLE gazette_operation (
	id TEXT PRIMARY KEY,
	text TEXT NOT NULL,
	work TEXT NOT NULL,
	eid TEXT NOT NULL,
	n BIGINT NOT NULL,
	target TEXT NOT NULL,
	effective TEXT NOT NULL,
	state TEXT NOT NULL,
	reason TEXT NOT NULL,
	body TEXT NOT NULL,
	decided_by TEXT NOT NULL,
	decided_at BIGINT NOT NULL
);
CREATE INDEX gazette_operation_by_target ON gazette_operation (target, effective);
CREATE INDEX gazette_operation_by_text ON gazette_operation (text);
CREATE INDEX gazette_operation_by_state ON gazette_operation (state, target);
-- Differences between an edition that already holds changes and what was
-- computed, for an editor.
CREATE TABLE gazette_difference (
	work TEXT NOT NULL,
	n BIGINT NOT NULL,
	text TEXT NOT NULL,
	code TEXT NOT NULL,
	eid TEXT NOT NULL,
	detail TEXT NOT NULL,
	PRIMARY KEY (work, text, n)
);
CREATE TABLE gazette_correction (
	id TEXT PRIMARY KEY,
	text TEXT NOT NULL,
	eid TEXT NOT NULL,
	before_text TEXT NOT NULL,
	after_text TEXT NOT NULL,
	why TEXT NOT NULL,
	at BIGINT NOT NULL,
	by_actor TEXT NOT NULL
);
CREATE INDEX gazette_correction_by_text ON gazette_correction (text, eid, at);
-- What happened to the law, in order, for those who follow it and for the
-- copies of the search index.
CREATE TABLE gazette_event (
	n BIGINT PRIMARY KEY,
	at BIGINT NOT NULL,
	type TEXT NOT NULL,
	work TEXT NOT NULL,
	eid TEXT NOT NULL,
	by_work TEXT NOT NULL,
	issue TEXT NOT NULL,
	day TEXT NOT NULL
);
CREATE INDEX gazette_event_by_work ON gazette_event (work, n);
CREATE TABLE gazette_subscription (
	id TEXT PRIMARY KEY,
	kind TEXT NOT NULL,
	target TEXT NOT NULL,
	lang TEXT NOT NULL,
	channel TEXT NOT NULL,
	address TEXT NOT NULL,
	secret TEXT NOT NULL,
	confirmed BOOLEAN NOT NULL,
	sent_n BIGINT NOT NULL,
	failures BIGINT NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE INDEX gazette_subscription_by_kind ON gazette_subscription (kind, target);
CREATE TABLE gazette_revision (
	id TEXT PRIMARY KEY,
	n BIGINT NOT NULL
);
