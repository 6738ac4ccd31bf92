-- What the administration above has dealt with, the latest first.
CREATE INDEX casework_case_by_above_done ON casework_case (above, updated_at, id) WHERE above <> '' AND NOT open;
