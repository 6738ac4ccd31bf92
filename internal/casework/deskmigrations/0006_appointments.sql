-- When offices receive people by appointment.
CREATE TABLE casework_opening (
	id TEXT PRIMARY KEY,
	administration TEXT NOT NULL,
	weekday BIGINT NOT NULL,
	from_minute BIGINT NOT NULL,
	to_minute BIGINT NOT NULL,
	slot BIGINT NOT NULL,
	seats BIGINT NOT NULL,
	made_by TEXT NOT NULL
);
CREATE INDEX casework_opening_by_office ON casework_opening (administration, weekday);
-- Appointments. A seat of a slot belongs to one of them.
CREATE TABLE casework_booking (
	id TEXT PRIMARY KEY,
	administration TEXT NOT NULL,
	day TEXT NOT NULL,
	minute BIGINT NOT NULL,
	length BIGINT NOT NULL,
	seat BIGINT NOT NULL,
	ticket BIGINT NOT NULL,
	account TEXT NOT NULL,
	person TEXT NOT NULL,
	case_id TEXT NOT NULL,
	number TEXT NOT NULL,
	procedure TEXT NOT NULL,
	sealed BYTEA NOT NULL,
	state TEXT NOT NULL,
	changes BIGINT NOT NULL,
	reminded BOOLEAN NOT NULL,
	made_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX casework_booking_seat ON casework_booking (administration, day, minute, seat) WHERE state <> 'cancelled';
CREATE UNIQUE INDEX casework_booking_ticket ON casework_booking (administration, day, ticket);
CREATE INDEX casework_booking_by_account ON casework_booking (account, day);
CREATE INDEX casework_booking_by_day ON casework_booking (day) WHERE state = 'booked';
