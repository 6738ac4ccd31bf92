package app

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	"diwan/country"
	"diwan/internal/casework"
	"diwan/internal/casework/document"
	"diwan/internal/casework/form"
	"diwan/internal/credential"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/identity"
	"diwan/internal/identity/policy"
	"diwan/internal/jobs"
	"diwan/internal/keys"
	"diwan/internal/problem"
	"diwan/internal/wallet"
)

// credentialFile describes the documents that a country issues.
const credentialFile = "credentials.json"

// credentialPlan is that file.
type credentialPlan struct {
	// Silence is the type of the document that a case gives when the administration
	// kept silent.
	Silence string            `json:"silence"`
	Types   []credential.Type `json:"types"`
}

// Status lists may be kept so long: the time within which a revocation reaches every
// verifier.
const (
	statusLife     = 5 * time.Minute
	demoStatusLife = 10 * time.Second
)

// openCredentials opens the issuing of documents. A country that describes none yet
// can still be given types by its officers.
func (a *App) openCredentials() error {
	var plan credentialPlan
	if err := country.Decode(a.pack.Files, credentialFile, &plan); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	secret, err := a.derived("diwan: credentials")
	if err != nil {
		return err
	}
	life := statusLife
	if a.Config.Demo {
		life = demoStatusLife
	}
	signers, err := a.issuingKeys()
	if err != nil {
		return err
	}
	a.credentialPlan = plan
	a.Credentials, err = credential.New(credential.Options{
		DB: a.DB, Clock: a.clock, Country: a.Country, Audit: a.Audit, Persons: a.Accounts, Keys: signers, Sources: decisions{a}, Base: a.publicBase(),
		OfficeName: catalogued{a, caseworkPlan{}}.name, May: a.mayDocument, Ready: a.documentReady, Secret: secret, StatusLife: life,
		Demonstration: a.Config.Demo, Tolerant: a.Config.Demo, Attested: a.Config.WalletAttested == "yes", Log: a.log,
	})
	return err
}

// issuingKeys are those that sign documents: in a token when one is configured.
func (a *App) issuingKeys() (credential.Signers, error) {
	if a.Config.TokenModule == "" {
		return a.Keys, nil
	}
	pin, err := os.ReadFile(a.Config.TokenPINFile)
	if err != nil {
		return nil, fmt.Errorf("token_pin_file: %w", err)
	}
	t, err := keys.OpenToken(a.Config.TokenModule, a.Config.TokenLabel, strings.TrimSpace(string(pin)), a.clock)
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, t.Close)
	return t, nil
}

// loadTypes publishes the country's types that this installation has none of yet.
func (a *App) loadTypes(ctx context.Context) error {
	return a.Credentials.LoadTypes(ctx, a.credentialPlan.Types)
}

// derived returns a secret of the installation for one use, from the identity that
// seals its keys and lies where the database does not.
func (a *App) derived(use string) ([]byte, error) {
	seal, err := os.ReadFile(a.Config.SealFile)
	if err != nil {
		return nil, fmt.Errorf("reading the identity that seals secrets: %w", err)
	}
	return hkdf.Key(sha256.New, bytes.TrimSpace(seal), nil, use, 32)
}

// decisions tell the issuer what a document rests on.
type decisions struct{ a *App }

// Facts of a decision: of a case by its number, or of a sample register.
func (d decisions) Facts(ctx context.Context, source string) (credential.Facts, error) {
	a := d.a
	if kind, ok := strings.CutPrefix(source, samplePrefix); ok {
		return a.sampleFacts(ctx, kind)
	}
	c, t, content, err := a.Casework.Basis(ctx, source)
	if err != nil {
		return nil, err
	}
	f := credential.Facts{
		"case":      map[string]any{"number": c.Number, "procedure": texts(t.Name), "filed": c.Filed.String()},
		"office":    map[string]any{"name": texts(catalogued{a, caseworkPlan{}}.name(c.Administration))},
		"applicant": map[string]any{"name": latin(content.Applicant, a.Country)},
		"decision":  map[string]any{"on": gov.DateOf(a.clock.Now(), a.Country.Zone()).String()},
		"country":   credential.CountryFacts(a.Country),
	}
	if c.Form == "" || len(content.Answers) == 0 { // it came by a program, with answers of its own form
		return f, nil
	}
	var doc struct {
		Answers json.RawMessage `json:"answers"`
	}
	if err := json.Unmarshal(content.Answers, &doc); err != nil {
		return nil, err
	}
	if len(doc.Answers) == 0 {
		return f, nil
	}
	answers, err := form.Decode(doc.Answers)
	if err != nil {
		return nil, err
	}
	f["answers"] = map[string]any(answers)
	return f, nil
}

func texts(t gov.Text) map[string]any {
	m := map[string]any{}
	for l, s := range t {
		m[string(l)] = s
	}
	return m
}

// latin is a name in the script that machines abroad compare: the first language that
// is written from the left, or whatever there is.
func latin(t gov.Text, c *gov.Country) string {
	for _, l := range c.Languages {
		if s := t[l.Code]; l.Dir == "ltr" && s != "" {
			return s
		}
	}
	s, _ := t.In(c.Languages[0].Code, c.Order())
	return s
}

// caseDecided makes the document of a granted case due.
func (a *App) caseDecided(ctx context.Context, tx *db.Tx, c *casework.Case, t *casework.Terms, v casework.Verdict) error {
	kind := t.Output
	if v.Silent {
		kind = a.credentialPlan.Silence
	}
	if kind == "" {
		return nil
	}
	return a.Credentials.Prepare(ctx, tx, credential.Source{ID: c.Number, Type: kind, Administration: c.Administration, Person: c.Person, By: v.By, On: v.On})
}

// documentReady tells the person of a case that its document can be fetched.
func (a *App) documentReady(ctx context.Context, tx *db.Tx, d *credential.Document) error {
	if strings.HasPrefix(d.Source, samplePrefix) {
		return nil
	}
	return a.Casework.Ready(ctx, tx, d.Source)
}

// madeOf lists the documents that a case made, for its page at the desk.
func (a *App) madeOf(ctx context.Context, number string) ([]casework.Made, error) {
	all, err := a.Credentials.Of(ctx, number)
	if err != nil {
		return nil, err
	}
	var out []casework.Made
	for _, d := range all {
		t, err := a.Credentials.TypeVersion(ctx, d.Type, d.Version)
		if err != nil {
			return nil, err
		}
		out = append(out, casework.Made{Path: "/office/documents/" + d.ID, Name: t.Name})
	}
	return out, nil
}

// mayDocument asks the policy about a document or a type.
func (a *App) mayDocument(ctx context.Context, actor gov.Actor, action string, d *credential.Document) error {
	if actor.ID == "" {
		return problem.New(problem.Unauthenticated, "unauthenticated")
	}
	on := policy.Resource{Kind: policy.Document, ID: d.ID, Administration: d.Administration, Applicant: d.Person, Preparer: d.DecidedBy}
	if action == credential.MayEditTypes {
		on = policy.Resource{Kind: policy.DocumentType, ID: d.Type, Administration: actor.Administration}
	}
	ok, why := policy.May(asking(ctx, actor), policy.Action(action), on)
	if !ok {
		return problem.New(problem.Forbidden, "forbidden", "rule", why)
	}
	return nil
}

// credentialTick orders that documents which are due are checked and signed.
type credentialTick struct{}

// Kind names the job.
func (credentialTick) Kind() string { return "credential_settle" }

// credentialSweep orders that what can no longer be used is forgotten.
type credentialSweep struct{}

// Kind names the job.
func (credentialSweep) Kind() string { return "credential_sweep" }

// Intervals of those jobs.
const (
	settleInterval          = 5 * time.Second
	credentialSweepInterval = 10 * time.Minute
)

func (a *App) registerCredentialJobs(r *jobs.Registry) {
	jobs.Handle(r, func(ctx context.Context, _ credentialTick) error {
		_, err := a.Credentials.Settle(ctx)
		return err
	})
	jobs.Every(r, settleInterval, func() jobs.Args { return credentialTick{} })
	jobs.Handle(r, func(ctx context.Context, _ credentialSweep) error { return a.Credentials.Sweep(ctx) })
	jobs.Every(r, credentialSweepInterval, func() jobs.Args { return credentialSweep{} })
}

// registerCredentials mounts what wallets and verifiers call.
func (a *App) registerCredentials(mux *http.ServeMux, cross *http.CrossOriginProtection, limit func(http.Handler) http.Handler) {
	a.Credentials.Register(mux, limit)
	mux.Handle("GET "+credential.AuthorizePath, a.Credentials.Authorize(a.Site))
	for _, p := range credential.Paths {
		// Nothing there looks at a cookie, so that another site gains nothing.
		cross.AddInsecureBypassPattern(p)
	}
}

// registerDocuments mounts the pages on which people fetch their documents.
func (a *App) registerDocuments(mux *http.ServeMux) {
	m := &credential.Mine{Credentials: a.Credentials, Site: a.Site, Actor: identity.Actor, Wallet: wallet.Root, Print: a.printDocument,
		Acting: func(r *http.Request) string { return identity.Acting(r).ID }}
	m.Register(mux)
}

// registerDocumentOffice mounts the officers' desk of documents.
func (a *App) registerDocumentOffice(mux *http.ServeMux) {
	(&credential.Desk{Credentials: a.Credentials, Site: a.Site, Actor: identity.Actor}).Register(mux)
}

// printDocument makes and seals the paper form of a document.
func (a *App) printDocument(r *http.Request, p *credential.Printed) ([]byte, error) {
	m := &document.Maker{Country: a.Country, Words: a.Site.Words, Langs: a.Country.Order()[:min(2, len(a.Country.Languages))]}
	f := document.HeldFacts{Facts: document.Facts{Number: p.Number, At: a.clock.Now(), Office: p.Office, Title: p.Name, Demo: a.Config.Demo}, From: p.From, Until: p.Until, Code: p.Code}
	for _, s := range p.Says {
		if s.Kind != credential.Image {
			f.Rows = append(f.Rows, heldRow(s))
		}
	}
	b, err := m.Held(f)
	if err != nil {
		return nil, fmt.Errorf("making the paper form of a document: %w", err)
	}
	return a.seal(r.Context(), b, p.Administration, p.Office)
}

// heldRow is one thing that a document says as its paper form writes it.
func heldRow(s credential.Said) document.HeldRow {
	row := document.HeldRow{Label: s.Label, Text: s.Text, Day: s.Day}
	if s.Kind == credential.YesNo {
		row.Yes = &s.Yes
	}
	for _, entry := range s.Entries {
		var one []document.HeldRow
		for _, m := range entry {
			one = append(one, heldRow(m))
		}
		row.Entries = append(row.Entries, one)
	}
	return row
}
