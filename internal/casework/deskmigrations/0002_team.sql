-- Who is away, and to whom their cases go meanwhile.
CREATE TABLE casework_absence (
	id TEXT PRIMARY KEY,
	administration TEXT NOT NULL,
	account TEXT NOT NULL,
	delegate TEXT NOT NULL,
	from_day TEXT NOT NULL,
	to_day TEXT NOT NULL,
	state TEXT NOT NULL,
	made_by TEXT NOT NULL,
	made_at BIGINT NOT NULL
);
CREATE INDEX casework_absence_by_account ON casework_absence (account, to_day) WHERE state <> 'over';
CREATE INDEX casework_absence_by_office ON casework_absence (administration, to_day) WHERE state <> 'over';
-- Cases that went to a delegate, to come back when the absence ends.
CREATE TABLE casework_handed (
	absence TEXT NOT NULL,
	administration TEXT NOT NULL,
	case_id TEXT NOT NULL,
	delegate TEXT NOT NULL,
	PRIMARY KEY (absence, administration, case_id)
);
-- Filters of the inbox that an officer gave a name.
CREATE TABLE casework_view (
	id TEXT PRIMARY KEY,
	account TEXT NOT NULL,
	name TEXT NOT NULL,
	filter TEXT NOT NULL,
	made_at BIGINT NOT NULL
);
CREATE INDEX casework_view_by_account ON casework_view (account, made_at);
