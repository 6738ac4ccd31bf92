package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"diwan/internal/gazette"
	"diwan/internal/jobs"
	"diwan/internal/mail"
	"diwan/internal/webhook"
)

// checkFollowing refuses settings of mail and webhooks that can't work.
func (c *Config) checkFollowing() error {
	if c.MailPlain != "" && c.MailPlain != "yes" && c.MailPlain != "no" {
		return fmt.Errorf("mail_plain must be yes or no, not %q", c.MailPlain)
	}
	if _, err := c.networks(); err != nil {
		return err
	}
	if c.MailServer == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(c.MailServer); err != nil {
		return fmt.Errorf("mail_server must be a host and a port, such as mail.example:587, not %q", c.MailServer)
	}
	if _, err := mail.Address(c.MailFrom); err != nil {
		return fmt.Errorf("mail_from must be an address for electronic mail, not %q", c.MailFrom)
	}
	if c.PublicURL == "" {
		return fmt.Errorf("mail_server needs public_url: the links in mails are made from it")
	}
	return nil
}

func (c *Config) networks() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for s := range strings.SplitSeq(c.WebhookNetworks, ",") {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("webhook_networks must be networks such as 10.1.0.0/16, not %q", s)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// mailer returns what sends mail: the server of the configuration, in a
// demonstration a list that nothing leaves, or nil.
func (a *App) mailer() (mail.Sender, error) {
	if a.Config.Demo {
		a.caught = new(mail.Catcher)
		return a.caught, nil
	}
	if a.Config.MailServer == "" {
		return nil, nil
	}
	s := &mail.Server{Host: a.Config.MailServer, From: a.Config.MailFrom, User: a.Config.MailUser, Plain: a.Config.MailPlain == "yes"}
	if a.Config.MailPasswordFile != "" {
		b, err := os.ReadFile(a.Config.MailPasswordFile)
		if err != nil {
			return nil, fmt.Errorf("mail_password_file: %w", err)
		}
		s.Password = strings.TrimRight(string(b), "\r\n")
	}
	return s, nil
}

// openFollowing prepares what tells people and programs of changes in the law.
func (a *App) openFollowing(work *jobs.Registry) error {
	if a.Gazette == nil {
		return nil
	}
	networks, err := a.Config.networks()
	if err != nil {
		return err
	}
	a.following = &gazette.Following{Gazette: a.Gazette, Mail: a.sender, Hooks: webhook.New(networks, a.Config.Demo), Old: a.Config.Demo}
	a.following.RegisterJobs(work)
	a.Gazette.OnChange("log", a.lawChanged)
	return nil
}

// lawChanged tells the log. Other slices that depend on texts of
// law listen in the same way.
func (a *App) lawChanged(ctx context.Context, events []gazette.Event) error {
	works := map[string]bool{}
	for _, e := range events {
		works[e.Work] = true
	}
	a.log.InfoContext(ctx, "the law changed", "events", len(events), "works", len(works), "to", events[len(events)-1].N)
	return nil
}

// registerDemoMail shows the mails that a demonstration caught.
func (a *App) registerDemoMail(mux *http.ServeMux) {
	type caught struct {
		To          string `json:"to"`
		Subject     string `json:"subject"`
		Text        string `json:"text"`
		Lang        string `json:"lang"`
		Unsubscribe string `json:"unsubscribe,omitempty"`
		At          string `json:"at"`
	}
	mux.HandleFunc("GET /demo/mail", func(w http.ResponseWriter, _ *http.Request) {
		out := []caught{}
		if a.caught != nil {
			for _, m := range a.caught.Caught() {
				out = append(out, caught{m.To, m.Subject, m.Text, m.Lang, m.Unsubscribe, m.At.UTC().Format(time.RFC3339)})
			}
		}
		writeJSON(w, map[string]any{"items": out, "total": len(out)})
	})
}
