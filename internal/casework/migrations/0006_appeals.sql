-- The administration above, where a case lies before it: it hears the appeal, or
-- acts when what silence gave is not delivered.
ALTER TABLE casework_case ADD COLUMN above TEXT NOT NULL DEFAULT '';
CREATE INDEX casework_case_by_above ON casework_case (above, due, id) WHERE above <> '' AND open;
-- Cases that were brought there before anybody wrote down who is above.
CREATE INDEX casework_case_below ON casework_case (administration, id) WHERE above = '' AND state IN ('escalated', 'referred');
-- An appeal is found from the case that it contests.
CREATE INDEX casework_case_by_earlier ON casework_case (earlier) WHERE earlier <> '';
