-- A notice can speak of an appointment that belongs to no case; its case_id is then
-- empty.
ALTER TABLE casework_notice ADD COLUMN booking TEXT NOT NULL DEFAULT '';
