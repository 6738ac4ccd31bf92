-- Days on which offices are closed, or open although the country's table says
-- otherwise: the moon decides some of them late.
CREATE TABLE casework_holiday (
	on_day TEXT PRIMARY KEY,
	name TEXT NOT NULL,
	closed BOOLEAN NOT NULL,
	changed_by TEXT NOT NULL,
	changed_at BIGINT NOT NULL
);
