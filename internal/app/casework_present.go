package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"diwan/internal/casework"
	"diwan/internal/casework/form"
	"diwan/internal/gov"
	"diwan/internal/identity"
	"diwan/internal/problem"
	"diwan/internal/qr"
	"diwan/internal/verifier"
	"diwan/internal/verifier/check"
	"diwan/internal/wallet"
	"diwan/protocol/claimpath"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/dcql"
	"diwan/protocol/openid4/vp"
)

// walletDocument is the document for wallets that says what a data service says.
type walletDocument struct {
	VCT       string `json:"vct"`
	DocType   string `json:"doctype"`
	Namespace string `json:"namespace"`
	// Fields maps those of the service to the claims that say the same.
	Fields map[string][]string `json:"fields"`
}

// forms lists the document's formats with the paths of its claims.
func (d *walletDocument) forms() []walletForm {
	var out []walletForm
	if d.VCT != "" {
		out = append(out, walletForm{"sdjwt", openid4.SDJWT, d.VCT, nil})
	}
	if d.DocType != "" {
		out = append(out, walletForm{"mdoc", openid4.MDoc, d.DocType, claimpath.Path{d.Namespace}})
	}
	return out
}

type walletForm struct {
	id, format, kind string
	above            claimpath.Path // where its claims stand
}

func (f walletForm) path(claim string) claimpath.Path { return append(slices.Clone(f.above), claim) }

// claims are those that say the fields, false when one of them isn't said.
func (d *walletDocument) claims(fields []string) ([]string, bool) {
	var out []string
	for _, f := range fields {
		said := d.Fields[f]
		if len(said) == 0 {
			return nil, false
		}
		for _, c := range said {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out, len(out) > 0
}

// query asks for one document in any of its formats, with these claims and no others.
func (d *walletDocument) query(claims []string) (*dcql.Query, error) {
	type list = []any
	var credentials, options list
	for _, f := range d.forms() {
		meta := map[string]any{"doctype_value": f.kind}
		if f.format == openid4.SDJWT {
			meta = map[string]any{"vct_values": list{f.kind}}
		}
		var asks list
		for _, c := range claims {
			asks = append(asks, map[string]any{"path": f.path(c)})
		}
		credentials = append(credentials, map[string]any{"id": f.id, "format": f.format, "meta": meta, "claims": asks})
		options = append(options, list{f.id})
	}
	b, err := json.Marshal(map[string]any{"credentials": credentials, "credential_sets": list{map[string]any{"options": options}}})
	if err != nil {
		return nil, err
	}
	return dcql.Parse(b)
}

// presenter asks wallets for the documents of applications, as the administration that
// receives them.
type presenter struct {
	a       *App
	sources map[string]evidenceSource
}

// officeAsks begins the name of an administration as a verifier.
const officeAsks = "case:"

// Takes implements casework.Presenter.
func (p presenter) Takes(service string, fields []string) bool {
	d := p.sources[service].Wallet
	if d == nil || len(d.forms()) == 0 {
		return false
	}
	_, ok := d.claims(fields)
	return ok
}

// once is what the form of a procedure says of a document; the error for none that a
// wallet could show is of kind NotFound.
func (p presenter) once(ctx context.Context, procedure, document string) (*form.Once, error) {
	f, err := p.a.Casework.Form(ctx, procedure, "")
	if err != nil {
		return nil, err
	}
	once := f.Once(document)
	if once == nil || !p.Takes(once.Service, once.Fields) {
		return nil, problem.New(problem.NotFound, "verification.no_verifier")
	}
	return once, nil
}

// party is an administration that asks for one document of one procedure. What it may ask
// is what the form of the procedure names, and nothing else.
func (p presenter) party(ctx context.Context, administration, procedure, document string) (*verifier.Party, []string, error) {
	once, err := p.once(ctx, procedure, document)
	if err != nil {
		return nil, nil, err
	}
	if officeOf(p.a, administration) == "" {
		return nil, nil, problem.New(problem.NotFound, "verification.no_verifier")
	}
	d := p.sources[once.Service].Wallet
	claims, _ := d.claims(once.Fields)
	out := &verifier.Party{ID: officeAsks + strings.Join([]string{administration, procedure, document}, ":"), Name: catalogued{a: p.a}.name(administration), Purpose: once.Purpose,
		Demonstration: p.a.Config.Demo}
	for _, f := range d.forms() {
		may := verifier.Allowed{Format: f.format, Type: f.kind}
		for _, c := range claims {
			may.Claims = append(may.Claims, f.path(c))
		}
		out.May = append(out.May, may)
	}
	return out, claims, nil
}

// officeOf is the administration to which a place belongs, or the one itself.
func officeOf(a *App, id string) string {
	s := a.Catalogue.Snapshot()
	if s.Administration(id) != nil {
		return id
	}
	for _, adm := range s.Administrations {
		for _, o := range adm.Offices {
			if o.ID == id {
				return adm.ID
			}
		}
	}
	return ""
}

// officeParts takes the name of an administration as a verifier apart.
func officeParts(id string) (administration, procedure, document string, ok bool) {
	rest, ok := strings.CutPrefix(id, officeAsks)
	parts := strings.Split(rest, ":")
	if !ok || len(parts) != 3 {
		return "", "", "", false
	}
	return parts[0], parts[1], parts[2], true
}

// asOffice finds the administration behind the name of a verifier, for the verifier.
func (p presenter) asOffice(ctx context.Context, id string) (*verifier.Party, error) {
	administration, procedure, document, ok := officeParts(id)
	if !ok || p.a.Casework == nil {
		return nil, problem.New(problem.NotFound, "verification.no_verifier")
	}
	party, _, err := p.party(ctx, administration, procedure, document)
	return party, err
}

// certified is under which name a verifier has its key: an administration has one, for
// all that it asks.
func certified(id string) string {
	if administration, _, _, ok := officeParts(id); ok {
		return officeAsks + administration
	}
	return id
}

// Ask implements casework.Presenter.
func (p presenter) Ask(ctx context.Context, a casework.PresentAsk) (string, error) {
	party, claims, err := p.party(ctx, a.Administration, a.Procedure, a.Document)
	if err != nil {
		return "", err
	}
	want, _ := p.sources[a.Service].Wallet.claims(a.Fields)
	if len(want) == 0 || slices.ContainsFunc(want, func(c string) bool { return !slices.Contains(claims, c) }) {
		return "", problem.New(problem.Conflict, "evidence.changed") // the form of the draft asked for more than the one of today
	}
	q, err := p.sources[a.Service].Wallet.query(want)
	if err != nil {
		return "", fmt.Errorf("asking a wallet for %s: %w", a.Document, err)
	}
	ask := verifier.Ask{Query: q, Flow: verifier.CrossDevice, Session: a.Session, Holder: a.Person, Lang: a.Lang}
	if a.Here {
		ask.Flow, ask.Return, party.Returns = verifier.SameDevice, a.Return, []string{a.Return}
	}
	b, err := p.a.Verifier.Begin(ctx, party, ask)
	if err != nil {
		return "", err
	}
	return b.ID, nil
}

// Look implements casework.Presenter.
func (p presenter) Look(ctx context.Context, id, session string, lang gov.Lang) (*casework.Presenting, error) {
	r, err := p.a.Verifier.Look(ctx, id, session)
	if err != nil {
		return nil, err
	}
	out := &casework.Presenting{State: casework.PresentWaits, Here: r.Flow == verifier.SameDevice, Until: r.Ends, Code: r.Code}
	switch {
	case r.Request.State == verifier.Accepted || r.Request.State == verifier.Refused:
		out.State = casework.PresentAnswered
		return out, nil
	case r.State == verifier.Expired:
		out.State = casework.PresentEnded
		return out, nil
	case !out.Here:
		out.QR, err = qr.SVG(r.Link, p.a.Site.Words.Printer(string(lang)).T("casework.evidence.wallet.scan"))
		return out, err
	}
	// The wallet of this portal takes what stands behind "?" of the link, which is made here.
	out.Link = template.URL(wallet.Root + strings.TrimPrefix(r.Link, vp.Scheme)) // #nosec G203 -- see above
	return out, nil
}

// refusals are the reasons that have words of their own for the person.
var refusals = []check.Reason{check.OtherHolder, check.Revoked, check.Suspended, check.Expired, check.NotYetValid, check.UntrustedIssuer, check.HolderNotProved, check.StatusUnknown}

// Collect implements casework.Presenter.
func (p presenter) Collect(ctx context.Context, id, session, code string) (*casework.Presented, error) {
	r, shown, err := p.a.Verifier.Collect(ctx, id, session, code)
	switch {
	case err != nil:
		return nil, err
	case r.State == verifier.Expired:
		return &casework.Presented{Refusal: casework.PresentEnded}, nil
	case r.WalletError != "":
		return &casework.Presented{Refusal: "declined"}, nil
	case r.State == verifier.Refused:
		for _, x := range refusals {
			if slices.Contains(r.Reasons, x) {
				return &casework.Presented{Refusal: string(x)}, nil
			}
		}
		return &casework.Presented{Refusal: "unusable"}, nil
	case len(shown) == 0: // it was told to another window, which keeps it
		return nil, problem.New(problem.Conflict, "evidence.changed")
	}
	x := shown[0].Result
	out := &casework.Presented{Issuer: x.Issuer.ID, Sample: x.Issuer.Demonstration,
		Proof: casework.Proof{Issuer: named(x.Issuer.Names), Format: x.Form, Status: "valid", StatusOf: x.StatusMade, At: x.Checked}}
	if out.Proof.Issuer.Empty() {
		out.Proof.Issuer = gov.Text{"": x.Issuer.ID}
	}
	if out.Values, err = p.values(ctx, r, &x); err != nil {
		return nil, err
	}
	return out, nil
}

// named is a name by language as the list of issuers writes it.
func named(m map[string]string) gov.Text {
	out := gov.Text{}
	for l, s := range m {
		out[gov.Lang(l)] = s
	}
	return out
}

// values are the facts of a document under the names that the data service has for them.
func (p presenter) values(ctx context.Context, r *verifier.Request, x *check.Result) ([]casework.Value, error) {
	said := map[string]string{}
	for _, c := range x.Claims {
		text, _ := c.Text()
		if v, ok := c.Value.(bool); ok {
			text = fmt.Sprint(v)
		}
		if len(text) > maxValue {
			return nil, fmt.Errorf("%s is longer than %d bytes", c.Name(), maxValue)
		}
		said[c.Name()] = form.Clean(text, false)
	}
	_, procedure, document, ok := officeParts(r.Verifier)
	if !ok {
		return nil, errors.New("the request " + r.ID + " is of no administration")
	}
	once, err := p.once(ctx, procedure, document)
	if err != nil {
		return nil, err
	}
	source := p.sources[once.Service]
	var out []casework.Value
	for _, f := range source.Fields {
		var parts []string
		for _, c := range source.Wallet.Fields[f.Name] {
			if said[c] != "" {
				parts = append(parts, said[c])
			}
		}
		if len(parts) > 0 {
			out = append(out, casework.Value{Label: f.Label, Text: strings.Join(parts, " ")})
		}
	}
	return out, nil
}

// owns tells whether a document was issued to a person. A document of an issuer elsewhere
// names nobody in a way that is sure here, and is nobody's: two people may share a name.
func (p presenter) owns(ctx context.Context, person string, x check.Result) (bool, error) {
	if x.Place == nil {
		return false, nil
	}
	at := int64(x.Place.Index)
	d, err := p.a.Credentials.DocumentOf(ctx, "", x.Place.URI, &at)
	if problem.Is(err, problem.NotFound) {
		return false, nil
	}
	return err == nil && d.Person == person, err
}

// bindPresenting lets a person's pages ask wallets.
func (a *App) bindPresenting(m *casework.Mine, sessions *identity.Sessions) {
	m.Session, m.Script, m.Base = sessions.Binding, verifier.ScriptPath, a.visitedURL
}
