package app

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"diwan/country"
	"diwan/internal/credential"
	"diwan/internal/gov"
	"diwan/internal/identity"
	"diwan/internal/identity/policy"
	"diwan/internal/jobs"
	"diwan/internal/problem"
	"diwan/internal/verifier"
	"diwan/internal/verifier/check"
	"diwan/internal/verifier/poppler"
	"diwan/internal/web"
	"diwan/protocol/statuslist"
	"diwan/protocol/trustlist"
)

// verifiersFile registers who may ask for documents, and what.
const verifiersFile = "verifiers.json"

// openVerifier opens the checking of documents. It relies on what this installation
// publishes itself, and on lists of others that its own lists name.
func (a *App) openVerifier(ctx context.Context) error {
	anchor, err := a.Credentials.Anchor(ctx)
	if err != nil {
		return err
	}
	root, err := x509.ParseCertificate(anchor)
	if err != nil {
		return err
	}
	secret, err := a.derived("diwan: verifications")
	if err != nil {
		return err
	}
	networks, err := a.Config.networks()
	if err != nil {
		return err
	}
	base := a.publicBase()
	kit := check.New(check.Options{Operator: base, Anchors: []*x509.Certificate{root}, TrustURL: base + "/trust/issuers", ListsURL: base + "/status",
		Fetch: a.publishedOr(check.Fetcher(check.Transport(networks, a.Config.Demo))), Types: a.Credentials.TypeMetadata, Now: a.clock.Now,
		Failed: func(ctx context.Context, err error) {
			a.log.WarnContext(ctx, "the lists that documents are checked with could not be renewed", "error", err)
		}})
	a.Verifier, err = verifier.New(verifier.Options{DB: a.DB, Clock: a.clock, Country: a.Country, Log: a.log, Base: base, Secret: secret, Kit: kit,
		Identity: func(ctx context.Context, id string, name gov.Text) (crypto.Signer, []*x509.Certificate, error) {
			key, cert, err := a.Credentials.Certify(ctx, certified(id), name)
			return key, []*x509.Certificate{cert}, err
		},
		Render: poppler.Find(), Numbers: numbers{a}, Demo: a.Config.Demo, Audit: a.Audit, Vouch: a.Credentials.SignRegistration, Others: a.presents.asOffice, Owns: a.presents.owns})
	if err != nil {
		return err
	}
	var parties verifier.Parties
	if err := country.Decode(a.pack.Files, verifiersFile, &parties); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return a.Verifier.Enrol(ctx, parties)
}

// publishedOr reads what this installation publishes without going through the
// network, where it may not reach itself.
func (a *App) publishedOr(fetch check.Fetch) check.Fetch {
	return func(ctx context.Context, url string) ([]byte, string, error) {
		if b, kind, ok := a.Credentials.Local(ctx, url, statuslist.MediaJWT+", "+trustlist.MediaType); ok {
			return b, kind, nil
		}
		return fetch(ctx, url)
	}
}

// numbers look a document up by what is printed on it.
type numbers struct{ a *App }

// Standing implements verifier.Numbers.
func (n numbers) Standing(ctx context.Context, number string) (verifier.Standing, error) {
	d, err := n.a.Credentials.ByNumber(ctx, number)
	if err != nil {
		return verifier.Standing{}, err
	}
	t, err := n.a.Credentials.TypeVersion(ctx, d.Type, d.Version)
	if err != nil {
		return verifier.Standing{}, err
	}
	s := verifier.Standing{State: "valid", Type: t.Name, Issuer: catalogued{n.a, caseworkPlan{}}.name(d.Administration), From: d.From, Until: d.Until, Demonstration: n.a.Config.Demo}
	today := gov.DateOf(n.a.clock.Now(), n.a.Country.Zone())
	switch {
	case d.State == credential.Revoked, d.State == credential.Suspended:
		s.State = d.State
	case !d.Until.IsZero() && d.Until.Before(today):
		s.State = "expired"
	}
	return s, nil
}

// registerVerifier mounts what wallets call and the short addresses.
func (a *App) registerVerifier(mux *http.ServeMux, cross *http.CrossOriginProtection, pages *verifier.Pages) {
	a.Verifier.RegisterWallets(mux)
	pages.RegisterShort(mux)
	cross.AddInsecureBypassPattern("/present/") // wallets are sites of their own, and bring no cookie
}

// registerVerifierOffice mounts the registry of who may ask.
func (a *App) registerVerifierOffice(mux *http.ServeMux) {
	(&verifier.Desk{Verifier: a.Verifier, Site: a.Site, Actor: identity.Actor, May: a.mayVerifier, Kinds: a.askedKinds, Named: a.accountName}).Register(mux)
}

// registerVerifierSpace mounts the pages of the people of verifiers.
func (a *App) registerVerifierSpace(mux *http.ServeMux) {
	(&verifier.Mine{Verifier: a.Verifier, Site: a.Site, Actor: identity.Actor, May: a.mayWork(policy.VerifierJoin)}).Register(mux)
}

// mayWork asks the policy about somebody who is, or is about to be, one of the people of
// a verifier.
func (a *App) mayWork(do policy.Action) func(context.Context, gov.Actor, string) error {
	return func(ctx context.Context, who gov.Actor, id string) error {
		if ok, why := policy.May(asking(ctx, who), do, policy.Resource{Kind: policy.Verifier, ID: id, Account: who.ID}); !ok {
			return problem.New(problem.Forbidden, "forbidden", "rule", why)
		}
		return nil
	}
}

// mayVerifier asks the policy about the registry.
func (a *App) mayVerifier(ctx context.Context, who gov.Actor, id string) error {
	if ok, why := policy.May(asking(ctx, who), policy.VerifierManage, policy.Resource{Kind: policy.Verifier, ID: id}); !ok {
		return problem.New(problem.Forbidden, "forbidden", "rule", why)
	}
	return nil
}

// askedKinds are the documents issued here, with what each says, in each of its formats.
func (a *App) askedKinds(ctx context.Context) ([]verifier.Kind, error) {
	all, err := a.Credentials.Types(ctx, a.Country.Order()[0])
	if err != nil {
		return nil, err
	}
	var out []verifier.Kind
	for _, t := range all {
		for _, f := range (&walletDocument{VCT: t.VCT, DocType: t.DocType, Namespace: t.Namespace}).forms() {
			k := verifier.Kind{Name: t.Name, Format: f.format, Type: f.kind}
			for _, c := range t.Claims {
				if !c.In(f.format) {
					continue
				}
				k.Claims = append(k.Claims, verifier.KindClaim{Path: f.path(c.Name), Label: c.Label})
			}
			out = append(out, k)
		}
	}
	return out, nil
}

// mountVerify mounts the pages that everybody may open. They know who is signed in: one
// of the people of a verifier asks there as it.
func (a *App) mountVerify(pages *http.ServeMux, verify *verifier.Pages, sessions *identity.Sessions) {
	mux := http.NewServeMux()
	verify.Register(mux)
	mux.HandleFunc("/", a.Site.Otherwise(web.ErrNoPage, mux))
	known := sessions.Load(mux)
	pages.Handle("/verify", known)
	pages.Handle("/verify/", known)
}

func (a *App) verifierPages() *verifier.Pages {
	return &verifier.Pages{Verifier: a.Verifier, Site: a.Site, May: a.mayWork(policy.VerifierAsk), Secure: strings.HasPrefix(a.Config.PublicURL, "https://")}
}

func (a *App) registerVerifierAPI(mux *http.ServeMux) {
	(&verifier.API{Verifier: a.Verifier, Site: a.Site}).Register(mux)
}

func (a *App) registerVerifierJobs(r *jobs.Registry) { a.Verifier.Jobs(r) }
