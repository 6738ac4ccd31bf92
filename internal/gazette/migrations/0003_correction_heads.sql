-- A correction may mend the number and the heading of a piece too.
ALTER TABLE gazette_correction ADD COLUMN before_num TEXT NOT NULL DEFAULT '';
ALTER TABLE gazette_correction ADD COLUMN after_num TEXT NOT NULL DEFAULT '';
ALTER TABLE gazette_correction ADD COLUMN before_heading TEXT NOT NULL DEFAULT '';
ALTER TABLE gazette_correction ADD COLUMN after_heading TEXT NOT NULL DEFAULT '';
