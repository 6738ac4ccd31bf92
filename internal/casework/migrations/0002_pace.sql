-- The sweep takes what is due in the order of its day. Every view of an inbox has
-- an index of its own, for an administration and for one of its units, so that a
-- page costs the same whether there are a hundred cases or a million.
CREATE INDEX casework_case_by_day ON casework_case (next_on, administration, id) WHERE next_on <> '';
DROP INDEX casework_case_by_next;
DROP INDEX casework_case_by_state;
CREATE INDEX casework_case_in_state ON casework_case (administration, state, due, id) WHERE open;
CREATE INDEX casework_case_unit_state ON casework_case (administration, unit, state, due, id) WHERE open;
CREATE INDEX casework_case_unit_assigned ON casework_case (administration, unit, assigned, due, id) WHERE open;
DROP INDEX casework_case_by_age;
CREATE INDEX casework_case_ended ON casework_case (administration, created_at, id) WHERE NOT open;
CREATE INDEX casework_case_unit_ended ON casework_case (administration, unit, created_at, id) WHERE NOT open;
