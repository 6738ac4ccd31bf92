package casework

import (
	"context"

	"diwan/internal/db"
	"diwan/internal/gov"
)

// exportAfter are what a person said after a decision: ratings and complaints.
func (w *Casework) exportAfter(ctx context.Context, person string) ([]exportFile, error) {
	complaints, err := w.ComplaintsOf(ctx, person)
	if err != nil {
		return nil, err
	}
	// They ask for their own: the policy lets whoever is the person of a case read it.
	ratings, err := w.ratings(ctx, gov.Actor{ID: person, Roles: []gov.Role{gov.RolePerson}}, `person = $1 ORDER BY at LIMIT 1000`, person)
	if complaints == nil {
		complaints = []*Complaint{}
	}
	if ratings == nil {
		ratings = []Rating{}
	}
	return []exportFile{{"complaints.json", complaints}, {"ratings.json", ratings}}, err
}

// eraseAfter forgets the remarks of a person, and their complaints that were dealt
// with. The numbers of ratings stay: they say nothing of anybody.
func (w *Casework) eraseAfter(ctx context.Context, tx *db.Tx, person string) error {
	if _, err := deleted(ctx, tx, `UPDATE casework_rating SET remark = $2 WHERE person = $1`, person, []byte{}); err != nil {
		return err
	}
	ended := w.today().AddDays(-w.Retention.MessagesDays).String()
	_, err := deleted(ctx, tx, `DELETE FROM casework_complaint WHERE person = $1 AND closed_on <> '' AND closed_on < $2`, person, ended)
	return err
}
