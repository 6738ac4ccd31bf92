-- What a case costs beside the fee of its procedure, as an officer reckoned it.
CREATE TABLE casework_fee (
	id TEXT PRIMARY KEY,
	administration TEXT NOT NULL,
	case_id TEXT NOT NULL,
	amount BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	set_by TEXT NOT NULL,
	set_at BIGINT NOT NULL
);
CREATE INDEX casework_fee_by_case ON casework_fee (administration, case_id);
-- Orders to pay, and what became of them.
CREATE TABLE casework_payment (
	id TEXT PRIMARY KEY,
	administration TEXT NOT NULL,
	case_id TEXT NOT NULL,
	number TEXT NOT NULL,
	payer TEXT NOT NULL,
	amount BIGINT NOT NULL,
	provider TEXT NOT NULL,
	reference TEXT NOT NULL,
	state TEXT NOT NULL,
	made_at BIGINT NOT NULL,
	until_at BIGINT NOT NULL,
	settled_at BIGINT NOT NULL,
	refund_asked_by TEXT NOT NULL,
	refund_granted_by TEXT NOT NULL,
	refund_reason TEXT NOT NULL,
	refunded_at BIGINT NOT NULL,
	tries BIGINT NOT NULL
);
CREATE INDEX casework_payment_by_case ON casework_payment (administration, case_id, made_at);
CREATE INDEX casework_payment_by_office ON casework_payment (administration, made_at);
CREATE INDEX casework_payment_refunds ON casework_payment (state) WHERE state = 'refund_granted';
-- Messages of providers that were dealt with: each counts once.
CREATE TABLE casework_payment_notice (
	provider TEXT NOT NULL,
	id TEXT NOT NULL,
	payment TEXT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (provider, id)
);
