-- Sign-in codes that the operator has made, each good once; as hashes.
CREATE TABLE viewer_code (
	hash TEXT PRIMARY KEY,
	officer TEXT NOT NULL,
	expires_at BIGINT NOT NULL
);
-- Officers who are signed in; the cookie as a hash.
CREATE TABLE viewer_session (
	hash TEXT PRIMARY KEY,
	officer TEXT NOT NULL,
	expires_at BIGINT NOT NULL
);
