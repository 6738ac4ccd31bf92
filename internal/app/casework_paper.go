package app

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/http"

	"diwan/internal/casework"
	"diwan/internal/casework/document"
	"diwan/internal/gov"
	"diwan/internal/keys"
	"diwan/internal/pdf/seal"
)

// Purposes of the keys of seals. An administration's own is named by a hash: its id
// may be longer than the name of a purpose.
const sealRoot = "seal-authority"

func sealPurpose(administration string) string {
	sum := sha256.Sum256([]byte(administration))
	return "seal-" + hex.EncodeToString(sum[:10])
}

// paper makes and seals a document about a case. It is made when it is asked for,
// from facts that were fixed when the case got them.
func (a *App) paper(r *http.Request, kind string, f casework.PaperFacts) ([]byte, error) {
	b, err := a.compose(kind, f)
	if err != nil {
		return nil, fmt.Errorf("making the %s of a case: %w", kind, err)
	}
	if kind == casework.PaperCertificate && f.Issuer != "" {
		return a.seal(r.Context(), b, f.Issuer, f.Above)
	}
	return a.seal(r.Context(), b, f.Case.Administration, f.Office)
}

// compose writes the document in the country's first two languages.
func (a *App) compose(kind string, f casework.PaperFacts) ([]byte, error) {
	m := &document.Maker{Country: a.Country, Words: a.Site.Words, Langs: a.Country.Order()[:min(2, len(a.Country.Languages))]}
	lang := a.Country.Languages[0].Code
	facts := document.Facts{Number: f.Case.Number, At: f.At, Office: f.Office, Procedure: f.Terms.Name, Applicant: f.Content.Applicant, Filed: f.Case.Filed, Contested: f.Case.Earlier,
		Verify: a.publicBase() + "/" + string(lang) + f.VerifyPath(), Code: f.Case.Number, Demo: a.Config.Demo, LegalBasis: []gov.Text{a.Country.Law.Title}}
	if !f.Content.For.Empty() {
		facts.For = f.Content.Applicant
		facts.Applicant = f.Content.For
	}
	switch kind {
	case casework.PaperLetter:
		return m.Letter(document.LetterFacts{Facts: facts, Lang: f.Lang, On: f.On, Subject: f.Subject, Text: f.Reasons, Signer: f.Signer})
	case casework.PaperDecision:
		d := document.DecisionFacts{Facts: facts, Granted: f.Granted, On: f.On, Signer: f.Signer}
		if f.Reasons != "" {
			d.Reasons = []gov.Text{{"": f.Reasons}}
		}
		if !f.Appeal.IsZero() {
			d.Remedies = []document.Remedy{{Name: a.Casework.Rules.Periods["appeal"].Starts, To: a.Casework.Rules.Authorities[f.Terms.Authority].AppealTo, Until: f.Appeal}}
		}
		return m.Decision(d)
	case casework.PaperCertificate:
		// The portal states what the journal of the case shows. The certificate of the
		// authority above follows its letter to the office and is theirs to issue.
		d := document.CertificateFacts{Facts: facts, Issuer: a.Country.Portal, Council: f.Office, On: f.On, Expired: f.Last}
		if f.Issuer != "" {
			d.Issuer, d.Ref, d.Signer, d.Letter, d.LetterOn, d.Answered = f.Above, f.Ref, f.Signer, f.Letter, f.Wrote, f.Explained
			d.Reasons = gov.Text{"": f.Reasons}
		}
		return m.SilenceCertificate(d)
	case casework.PaperPayment:
		p := document.PaymentFacts{Facts: facts, Payer: f.Payer, Amount: f.Payment.Amount, On: f.On, Order: f.Payment.ID, Reference: f.Payment.Reference}
		if !f.Payment.Refunded.IsZero() {
			p.Back = gov.DateOf(f.Payment.Refunded, a.Country.Zone())
		}
		return m.PaymentReceipt(p)
	}
	d := document.ReceiptFacts{Facts: facts, FiledAt: f.Filed.At, Days: f.Terms.DeadlineDays, SilenceApproves: f.Approves}
	for _, x := range f.Missing {
		d.Missing = append(d.Missing, x.Name)
	}
	if f.Complete {
		d.Due, d.SilenceFrom = f.Due, f.Due.AddDays(1)
	} else {
		d.CompleteBy = f.Due
	}
	return m.Receipt(d)
}

// seal puts the seal of an administration under a document.
func (a *App) seal(ctx context.Context, pdf []byte, administration string, name gov.Text) ([]byte, error) {
	root, err := a.Keys.Signer(sealRoot)
	if err != nil {
		return nil, err
	}
	key, err := a.Keys.Signer(sealPurpose(administration))
	if err != nil {
		return nil, err
	}
	authority, err := a.sealAuthority(ctx, root)
	if err != nil {
		return nil, err
	}
	said, _ := name.In("", a.Country.Order())
	der, err := a.Casework.SealCertificate(ctx, administration, key.ID, func() ([]byte, error) {
		c, err := authority.Issue(key.Public(), seal.Holder{Name: said, ID: administration, Country: a.Country.Code}, a.clock.Now())
		if err != nil {
			return nil, err
		}
		return c.Raw, nil
	})
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	o := seal.Options{Signer: key, Chain: []*x509.Certificate{cert, authority.Certificate}, Name: said, At: a.clock.Now()}
	if d, ok := a.clock.(*DemoClock); a.Stamps != nil && (!ok || d.ahead.Load() == 0) {
		// The authority of time stamps goes by the machine's clock: a stamp from
		// before the day that a demonstration has turned to would refute the seal.
		o.Stamp = seal.Local(a.Stamps.Issue)
	}
	return seal.Sign(ctx, pdf, o)
}

// sealAuthority is the root of the seals of this installation.
func (a *App) sealAuthority(ctx context.Context, key *keys.Key) (*seal.Authority, error) {
	der, err := a.Casework.SealCertificate(ctx, sealRoot, key.ID, func() ([]byte, error) {
		portal, _ := a.Country.Portal.In("", a.Country.Order())
		root, err := seal.NewAuthority(portal, a.Country.Code, key, a.clock.Now())
		if err != nil {
			return nil, err
		}
		return root.Certificate.Raw, nil
	})
	if err != nil {
		return nil, err
	}
	return seal.OpenAuthority(der, key)
}
