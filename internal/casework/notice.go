package casework

import (
	"context"
	"fmt"
	"strings"

	"diwan/internal/casework/clock"
	"diwan/internal/db"
	"diwan/internal/gov"
)

// noticed says whom an event is told to, besides whoever made it.
var noticed = map[string]struct{ person, officer bool }{
	string(clock.Filed):                {person: true},
	string(clock.Completed):            {person: true, officer: true},
	string(clock.InformationRequested): {person: true},
	string(clock.InformationReceived):  {person: true, officer: true},
	string(clock.DoubtRaised):          {person: true},
	string(clock.DoubtSettled):         {person: true},
	string(clock.DefectNotified):       {person: true},
	string(clock.DefectMended):         {person: true, officer: true},
	string(clock.Extended):             {person: true},
	string(clock.Granted):              {person: true},
	string(clock.Refused):              {person: true},
	string(clock.Withdrawn):            {person: true, officer: true},
	string(clock.DeliveryRequested):    {person: true, officer: true},
	string(clock.Delivered):            {person: true},
	string(clock.Appealed):             {person: true, officer: true},
	string(clock.AppealAnswered):       {person: true, officer: true},
	TimePassed:                         {person: true, officer: true},
	AboveWrote:                         {person: true, officer: true},
	BelowExplained:                     {person: true},
	certifiedType:                      {person: true, officer: true},
	CertificateRefused:                 {person: true, officer: true},
	MessageSent:                        {person: true, officer: true},
	Assigned:                           {officer: true},
	FetchFailed:                        {person: true},
	OpinionAsked:                       {officer: true},
	OpinionGiven:                       {officer: true},
	FeeSet:                             {person: true},
	Paid:                               {person: true},
	Refunded:                           {person: true},
	DocumentReady:                      {person: true},
}

// notify writes with an event who is to be told of it. Nothing of the case stands
// in the notice: it says that something happened, and where to read it.
func (w *Casework) notify(ctx context.Context, tx *db.Tx, c *Case, e Event) error {
	if err := w.outward(ctx, tx, c, &e); err != nil {
		return err
	}
	to := noticed[e.Type]
	person := c.Filer
	if c.Channel != Online {
		person = c.Person // an officer or their program filed it for them
	}
	var accounts []string
	if to.person && !toldThere(&e) && !strings.HasPrefix(person, ownPerson) && (e.Actor != person || e.Type != MessageSent) {
		accounts = append(accounts, person)
	}
	if to.officer && c.Assigned != "" && c.Assigned != e.Actor && c.Assigned != c.Filer {
		accounts = append(accounts, c.Assigned)
	}
	for _, a := range accounts {
		kind := stepOf(c, &e)
		if e.Type == TimePassed {
			kind += "." + e.Clear.State
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO casework_notice (id, administration, case_id, seq, to_account, kind, made_at, sent_at, tries) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0)`,
			gov.NewID(), c.Administration, c.ID, e.Seq, a, kind, db.Micros(e.At))
		if err != nil {
			return fmt.Errorf("writing who is to be told: %w", err)
		}
	}
	return nil
}
