package app

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"diwan/internal/casework"
	"diwan/internal/gov"
	"diwan/internal/i18n"
	"diwan/internal/identity"
	"diwan/internal/mail"
	"diwan/internal/sms"
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
	return a.Casework.SendNotices(ctx, func(ctx context.Context, account string) (bool, error) {
		r, err := a.Accounts.ReachOf(ctx, account)
		return r.Rhythm == identity.RhythmDaily, err
	}, a.sendNotice)
}

// sendNotice tells one person of everything that waits for them.
func (a *App) sendNotice(ctx context.Context, list []casework.Notice) error {
	first := list[0]
	reach, err := a.Accounts.ReachOf(ctx, first.To)
	if err != nil {
		return err
	}
	if reach.Address == "" && a.Config.Demo {
		reach.Channel, reach.Address = identity.ChannelMail, a.sampleAddress(ctx, first.To)
	}
	if reach.Address == "" {
		return nil
	}
	lang := reach.Language
	for _, n := range list {
		if lang == "" && n.Case != nil {
			lang = n.Case.Lang
		}
	}
	if lang == "" {
		lang = a.Country.Languages[0].Code
	}
	p := a.Site.Words.Printer(string(lang))
	switch {
	case reach.Channel == identity.ChannelSMS && a.sms != nil:
		return a.sms.Send(ctx, sms.Message{ID: first.ID, To: reach.Address, Text: noticeSubject(p, first)})
	case reach.Channel == identity.ChannelMail && a.sender != nil:
		return a.sender.Send(ctx, mail.Message{To: reach.Address, Subject: noticeSubject(p, first),
			Text: a.noticeText(ctx, string(lang), list), Lang: string(lang), ID: first.ID, At: first.Made})
	}
	return nil
}

// noticeSubject says what a notice speaks of, and nothing of it.
func noticeSubject(p *i18n.Printer, n casework.Notice) string {
	if n.Booking != nil {
		return p.T("book.notice.subject")
	}
	return p.T("casework.notice.subject", "number", n.Case.Number)
}

// noticeText says what happened, one case after the other.
func (a *App) noticeText(ctx context.Context, lang string, list []casework.Notice) string {
	p, root := a.Site.Words.Printer(lang), identity.Me
	if acc, err := a.Accounts.ByID(ctx, list[0].To); err == nil && !acc.Has(gov.RolePerson) {
		root = identity.Office
	}
	var parts []string
	for _, n := range list {
		if n.Booking != nil {
			parts = append(parts, p.T("book.notice.text", "what", p.T("casework.step."+casework.StepOf(n.Kind)), "link", a.publicBase()+"/"+lang+identity.Me+"/appointments/"+n.Booking.ID))
			continue
		}
		parts = append(parts, p.T("casework.notice.text", "what", p.T("casework.step."+casework.StepOf(n.Kind)), "number", n.Case.Number,
			"link", a.publicBase()+"/"+lang+root+"/cases/"+n.Case.Number))
	}
	return strings.Join(append(parts, p.T("casework.notice.never")), "\n\n")
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

// texter returns what sends short messages, nil where nothing is configured.
func (a *App) texter() (sms.Sender, error) {
	if a.Config.SMSGateway == "" {
		return nil, nil
	}
	token := ""
	if a.Config.SMSTokenFile != "" {
		b, err := os.ReadFile(a.Config.SMSTokenFile)
		if err != nil {
			return nil, fmt.Errorf("sms_token_file: %w", err)
		}
		token = strings.TrimRight(string(b), "\r\n")
	}
	return sms.NewGateway(a.Config.SMSGateway, token)
}
