-- A decision that is to be changed after a granted appeal has no day of its own and
-- comes before everything that has one: the day that stands for it sorts first, so
-- that the indexes of the inbox serve it as they are. These are the cases from before.
UPDATE casework_case SET due = '0001-01-01' WHERE open AND earlier = '' AND state IN ('appealed', 'referred') AND EXISTS (
	SELECT 1 FROM casework_event e WHERE e.administration = casework_case.administration AND e.case_id = casework_case.id
		AND e.type = 'appeal_answered' AND e.clear LIKE '%"appeal_granted"%');
