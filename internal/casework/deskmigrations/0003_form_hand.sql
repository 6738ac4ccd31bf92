-- Who had a hand in a version of a form: none of them publishes it.
CREATE TABLE casework_form_hand (
	procedure TEXT NOT NULL,
	version TEXT NOT NULL,
	account TEXT NOT NULL,
	PRIMARY KEY (procedure, version, account)
);
