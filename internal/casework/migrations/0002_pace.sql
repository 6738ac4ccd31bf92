-- The sweep takes what is due in the order of its day, the ended cases stand by
-- their age.
CREATE INDEX casework_case_by_day ON casework_case (next_on, administration, id) WHERE next_on <> '';
DROP INDEX casework_case_by_next;
CREATE INDEX casework_case_ended ON casework_case (administration, created_at, id) WHERE NOT open;
