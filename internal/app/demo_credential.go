package app

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"diwan/country"
	"diwan/internal/credential"
	"diwan/internal/credential/specimen"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// samplePrefix begins the source of a document that no decision made: one of the
// invented registers of the demonstration.
const samplePrefix = "sample:"

// sampleFile holds those registers.
const sampleFile = "credentials-demo.json"

type sampleRegisters struct {
	Note      gov.Text          `json:"note"`
	Person    map[string]string `json:"person"`
	Registers map[string]struct {
		Administration string         `json:"administration"`
		Values         map[string]any `json:"values"`
		// Specimens are the values that are pictures: the program draws them.
		Specimens []string `json:"specimens"`
	} `json:"registers"`
}

func (a *App) samples() (*sampleRegisters, error) {
	s := &sampleRegisters{}
	err := country.Decode(a.pack.Files, sampleFile, s)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	return s, err
}

// sampleFacts are what an invented register says of its one person. The source is the
// type, a dot and anything that makes it new.
func (a *App) sampleFacts(_ context.Context, source string) (credential.Facts, error) {
	s, err := a.samples()
	if err != nil {
		return nil, err
	}
	kind, _, _ := strings.Cut(source, ".")
	r, ok := s.Registers[kind]
	if !ok {
		return nil, problem.New(problem.NotFound, "credential.type.not_found")
	}
	values := map[string]any{}
	for k, v := range s.Person {
		values[k] = v
	}
	for k, v := range r.Values {
		values[k] = v
	}
	if err := draw(values, r.Specimens); err != nil {
		return nil, err
	}
	return credential.Facts{"register": values, "office": map[string]any{"name": texts(catalogued{a, caseworkPlan{}}.name(r.Administration))},
		"decision": map[string]any{"on": gov.DateOf(a.clock.Now(), a.Country.Zone()).String()}, "country": credential.CountryFacts(a.Country)}, nil
}

// draw puts a specimen in the place of each picture.
func draw(values map[string]any, names []string) error {
	for _, n := range names {
		b, err := specimen.Portrait()
		if err != nil {
			return err
		}
		values[n] = base64.StdEncoding.EncodeToString(b)
	}
	return nil
}

// offerRequest is what /demo/offers is asked.
type offerRequest struct {
	Type   string `json:"type"`
	Person string `json:"person"` // login of a sample person
}

// demoOffers makes a fresh document of a sample register and offers it.
func (a *App) demoOffers(w http.ResponseWriter, r *http.Request) {
	answer, err := a.sampleOffer(r)
	if err != nil {
		a.Site.Fail(w, a.Site.WithLang(r), err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, answer)
}

func (a *App) sampleOffer(r *http.Request) (map[string]string, error) {
	ctx := r.Context()
	var in offerRequest
	if r.ContentLength != 0 {
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			return nil, problem.Wrap(err, problem.Invalid, "demo.offers")
		}
	}
	if in.Type == "" {
		in.Type = "birth-extract"
	}
	if in.Person == "" {
		in.Person = "salma.demo"
	}
	s, err := a.samples()
	if err != nil {
		return nil, err
	}
	reg, ok := s.Registers[in.Type]
	if !ok {
		return nil, problem.New(problem.NotFound, "credential.type.not_found")
	}
	person, err := a.Accounts.ByLogin(ctx, in.Person)
	if err != nil {
		return nil, err
	}
	source := samplePrefix + in.Type + "." + gov.NewID()
	from := credential.Source{ID: source, Type: in.Type, Administration: reg.Administration, Person: person.ID, On: gov.DateOf(a.clock.Now(), a.Country.Zone())}
	d, err := a.Credentials.Make(ctx, from)
	if err != nil {
		return nil, err
	}
	o, err := a.Credentials.OfferOf(ctx, d)
	if err != nil {
		return nil, err
	}
	link, err := a.Credentials.Link(o, false)
	if err != nil {
		return nil, err
	}
	reference, err := a.Credentials.Link(o, true)
	return map[string]string{"offer": link, "offer_uri": reference, "tx_code": o.TxCode, "document": d.ID}, err
}

// demoRevoke revokes a credential as an officer of its administration would.
func (a *App) demoRevoke(w http.ResponseWriter, r *http.Request) {
	fail := func(err error) { a.Site.Fail(w, a.Site.WithLang(r), err) }
	var in struct {
		Credential string `json:"credential"`
		Document   string `json:"document"`
		URI        string `json:"uri"`
		Idx        *int64 `json:"idx"`
		To         string `json:"to"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		fail(problem.Wrap(err, problem.Invalid, "demo.revoke"))
		return
	}
	if in.To == "" {
		in.To = credential.Revoked
	}
	d, err := a.revoked(r.Context(), in.Document, in.Credential, in.URI, in.Idx)
	if err == nil {
		officer := gov.Actor{ID: "demo", Administration: d.Administration, Roles: []gov.Role{gov.RoleSign}}
		d, err = a.Credentials.Change(r.Context(), officer, d.ID, in.To, "demo")
	}
	if err != nil {
		fail(err)
		return
	}
	writeJSON(w, map[string]string{"document": d.ID, "state": d.State})
}

// revoked finds the document to revoke: by its id, by a copy, or by a copy's place.
func (a *App) revoked(ctx context.Context, id, text, uri string, index *int64) (*credential.Document, error) {
	if id == "" {
		return a.Credentials.DocumentOf(ctx, text, uri, index)
	}
	return a.Credentials.ByID(ctx, id)
}
