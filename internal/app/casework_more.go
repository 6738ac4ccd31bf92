package app

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"time"

	"diwan/country"
	"diwan/internal/casework"
	"diwan/internal/gov"
	"diwan/internal/jobs"
	"diwan/internal/webhook"
)

// registerCaseworkAPI mounts the interface for programs of administrations.
func (a *App) registerCaseworkAPI(mux *http.ServeMux) {
	if a.Casework == nil {
		return
	}
	p := &casework.Programs{Casework: a.Casework, Site: a.Site}
	p.Register(mux)
	public := &casework.Public{Casework: a.Casework, Site: a.Site}
	public.RegisterAPI(mux)
}

// registerCaseworkPages mounts what everybody may read of casework.
func (a *App) registerCaseworkPages(pages *http.ServeMux) {
	if a.Casework == nil {
		return
	}
	public := &casework.Public{Casework: a.Casework, Site: a.Site}
	public.Register(pages)
}

// aroundFile says how long what is kept around cases is kept, and by when
// complaints are answered.
const aroundFile = "casework-around.json"

type aroundPlan struct {
	Retention  casework.Retention      `json:"retention"`
	Complaints casework.ComplaintRules `json:"complaints"`
}

// caseworkAround reads that plan; a country without one keeps everything, and has
// no complaints.
func caseworkAround(p *country.Pack) (plan aroundPlan, err error) {
	if err = country.Decode(p.Files, aroundFile, &plan); errors.Is(err, fs.ErrNotExist) {
		return aroundPlan{Retention: casework.Retention{MessagesDays: forever}}, nil
	}
	return plan, err
}

// forever is longer than any case lies here, in days.
const forever = 100 * 366

// countIndicatorsArgs orders that the indicators of the year are counted.
type countIndicatorsArgs struct{}

// Kind names the job.
func (countIndicatorsArgs) Kind() string { return "casework_indicators" }

// indicatorsInterval is how old a published figure is at most.
const indicatorsInterval = 6 * time.Hour

// resolveReference finds whom an administration's reference names.
func (a *App) resolveReference(ctx context.Context, by gov.Actor, administration, reference string) (string, error) {
	return a.Accounts.Resolve(ctx, by, "administration:"+administration, reference, "case.file")
}

// caseHooks sends what programs of administrations are told.
func (a *App) caseHooks() (*webhook.Client, error) {
	networks, err := a.Config.networks()
	return webhook.New(networks, a.Config.Demo), err
}

func (a *App) checkHook(address string) error {
	c, err := a.caseHooks()
	return errors.Join(err, c.Check(address))
}

// caseEventsArgs orders that programs are told what happened in cases.
type caseEventsArgs struct{}

// Kind names the job.
func (caseEventsArgs) Kind() string { return "casework_events" }

// caseEventsInterval is how long a program waits for an event at most.
const caseEventsInterval = 10 * time.Second

func (a *App) registerCaseEvents(r *jobs.Registry) {
	jobs.Handle(r, func(ctx context.Context, _ countIndicatorsArgs) error { return a.Casework.KeepIndicators(ctx) })
	jobs.Every(r, indicatorsInterval, func() jobs.Args { return countIndicatorsArgs{} })
	jobs.Handle(r, func(ctx context.Context, _ caseEventsArgs) error {
		hooks, err := a.caseHooks()
		if err != nil {
			return err
		}
		return a.Casework.SendEvents(ctx, a.publicBase(), func(ctx context.Context, address, secret, id string, at time.Time, body []byte) error {
			err := hooks.Send(ctx, address, secret, id, at, body)
			if errors.Is(err, webhook.ErrGone) {
				return casework.ErrHookGone
			}
			return err
		})
	})
	jobs.Every(r, caseEventsInterval, func() jobs.Args { return caseEventsArgs{} })
}
