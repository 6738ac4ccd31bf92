-- What people hand in. The name and the digest lie sealed in meta, the content
-- sealed in the store of blobs; sealed_key opens both and itself needs the key of
-- the person. Without sealed_key nothing of the file can be read any more.
CREATE TABLE upload_file (
	id TEXT PRIMARY KEY,
	person TEXT NOT NULL,
	filer TEXT NOT NULL,
	draft TEXT NOT NULL,
	case_id TEXT NOT NULL,
	type TEXT NOT NULL,
	size BIGINT NOT NULL,
	meta BYTEA NOT NULL,
	sealed_key BYTEA NOT NULL,
	blob TEXT NOT NULL,
	state TEXT NOT NULL,
	reason TEXT NOT NULL,
	tries BIGINT NOT NULL,
	scan_at BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);
CREATE INDEX upload_file_by_draft ON upload_file (draft, created_at) WHERE draft <> '';
CREATE INDEX upload_file_by_case ON upload_file (case_id, created_at) WHERE case_id <> '';
CREATE INDEX upload_file_by_filer ON upload_file (filer) WHERE draft <> '';
CREATE INDEX upload_file_held ON upload_file (scan_at) WHERE state = 'held';
-- Files that come in parts. Their bytes lie in the folder of one machine; how many
-- of them are there is known from the folder alone.
CREATE TABLE upload_incoming (
	id TEXT PRIMARY KEY,
	person TEXT NOT NULL,
	filer TEXT NOT NULL,
	draft TEXT NOT NULL,
	case_id TEXT NOT NULL,
	name BYTEA NOT NULL,
	size BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);
CREATE INDEX upload_incoming_by_filer ON upload_incoming (filer);
CREATE INDEX upload_incoming_by_age ON upload_incoming (updated_at);
