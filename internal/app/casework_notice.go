package app

import (
	"context"
	"time"

	"diwan/internal/casework"
	"diwan/internal/gov"
	"diwan/internal/identity"
	"diwan/internal/mail"
)

// sendNoticesArgs orders that people are told what happened in their cases.
type sendNoticesArgs struct{}

// Kind names the job.
func (sendNoticesArgs) Kind() string { return "casework_notices" }

// noticeInterval is how long somebody waits at most before they are told.
const noticeInterval = 20 * time.Second

// sendNotices tells everybody who waits, each in their language and by the way they
// chose. Somebody who chose none reads it in their space.
func (a *App) sendNotices(ctx context.Context) error {
	return a.Casework.SendNotices(ctx, a.sendNotice)
}

func (a *App) sendNotice(ctx context.Context, n casework.Notice) error {
	reach, err := a.Accounts.ReachOf(ctx, n.To)
	if err != nil {
		return err
	}
	if reach.Address == "" && a.Config.Demo {
		reach.Channel, reach.Address = identity.ChannelMail, a.sampleAddress(ctx, n.To)
	}
	if reach.Address == "" || reach.Channel != identity.ChannelMail || a.sender == nil {
		return nil
	}
	lang := reach.Language
	if lang == "" {
		lang = n.Case.Lang
	}
	p := a.Site.Words.Printer(string(lang))
	root := identity.Me
	if acc, err := a.Accounts.ByID(ctx, n.To); err == nil && !acc.Has(gov.RolePerson) {
		root = identity.Office
	}
	what := p.T("casework.step." + casework.StepOf(n.Kind))
	return a.sender.Send(ctx, mail.Message{To: reach.Address, Subject: p.T("casework.notice.subject", "number", n.Case.Number),
		Text: p.T("casework.notice.text", "what", what, "number", n.Case.Number, "link", a.publicBase()+"/"+string(lang)+root+"/cases/"+n.Case.Number),
		Lang: string(lang), ID: n.ID, At: n.Made})
}

// publicBase is this installation's address in what leaves the pages.
func (a *App) publicBase() string {
	if a.Config.PublicURL != "" {
		return a.Config.PublicURL
	}
	return "http://" + a.Config.Listen
}

// sampleAddress is that of a sample person, to be seen in the list of caught mails.
func (a *App) sampleAddress(ctx context.Context, account string) string {
	acc, err := a.Accounts.ByID(ctx, account)
	if err != nil || !acc.Sample {
		return ""
	}
	return acc.Login + "@people.example"
}
