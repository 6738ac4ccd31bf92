package casework

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"diwan/internal/casework/clock"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// PaperFacts are what a document about a case says beside its receipt.
type PaperFacts struct {
	ReceiptFacts
	Granted bool
	On      gov.Date // of the decision, or on which silence had its effect
	Last    gov.Date // of the period that ran out
	Reasons string
	Subject string // of a letter, whose text stands in Reasons
	Signer  gov.Text
	Appeal  gov.Date // last day of the appeal
	Above   gov.Text // the authority above
	// Issuer is the administration above that issued a certificate, Ref its number;
	// empty while the journal alone speaks.
	Issuer, Ref string
	Wrote       gov.Date // when it asked for explanations
	Letter      string   // the reference of that
	Explained   bool     // it was answered
	At          time.Time
	Payer       gov.Text // of a receipt of payment
}

// Kinds of documents about a case.
const (
	PaperReceipt     = "receipt"
	PaperDecision    = "decision"
	PaperCertificate = "certificate"
	PaperPayment     = "payment"
)

// decisionOf gathers what the decision of a case says.
func (x *Receipts) decisionOf(r *http.Request, c *Case) (PaperFacts, error) {
	base, err := x.facts(r, c)
	f := PaperFacts{ReceiptFacts: base}
	if err != nil {
		return f, err
	}
	journal, err := x.Journal(r.Context(), c)
	if err != nil {
		return f, err
	}
	// An appeal may have changed the decision: the last one counts.
	i := len(journal) - 1
	for i >= 0 && !isDecision(&journal[i]) {
		i--
	}
	if i < 0 {
		return f, problem.New(problem.NotFound, "paper.no_decision")
	}
	e := journal[i]
	f.Granted, f.On, f.Reasons, f.At = e.Type == string(clock.Granted), e.On, e.Text, e.At
	f.Signer = x.signer(r, e)
	out, err := clock.Run(*x.law(), input(f.Terms, journal[:i+1], e.On))
	for _, t := range out.Timers {
		if t.Name == "appeal" {
			f.Appeal = t.Due
		}
	}
	return f, err
}

// isDecision tells what stands in a decision's document. An appeal that nobody had
// to hear has none.
func isDecision(e *Event) bool {
	return (e.Type == string(clock.Granted) || e.Type == string(clock.Refused)) && e.Clear.Ground != groundOvertaken
}

// certificateOf gathers what a certificate of silence says. There is none before
// silence has had its effect.
func (x *Receipts) certificateOf(r *http.Request, c *Case) (PaperFacts, error) {
	base, err := x.facts(r, c)
	f := PaperFacts{ReceiptFacts: base}
	if err != nil {
		return f, err
	}
	journal, err := x.Journal(r.Context(), c)
	if err != nil {
		return f, err
	}
	i := slices.IndexFunc(journal, func(e Event) bool { return e.Type == TimePassed && e.Clear.State == string(clock.SilenceApproved) })
	if i < 0 {
		return f, problem.New(problem.NotFound, "paper.no_silence")
	}
	f.On, f.At = journal[i].On, journal[i].At
	out, err := clock.Run(*x.law(), input(f.Terms, journal[:i], f.On.AddDays(-1)))
	f.Last = out.Due
	f.Above = x.Rules.Authorities[f.Terms.Authority].EscalationTo
	if e := certificateIn(journal); e != nil {
		f.Issuer, f.Ref, f.Reasons, f.On, f.At = e.Clear.To, e.Clear.Ref, e.Text, e.On, e.At
		f.Above, f.Signer = x.OfficeName(e.Clear.To), x.signer(r, *e)
		for _, e := range journal {
			switch e.Type {
			case AboveWrote:
				f.Wrote, f.Letter = e.On, c.Number+"/"+strconv.FormatInt(e.Seq, 10)
			case BelowExplained:
				f.Explained = true
			}
		}
	}
	return f, err
}

// paper answers with a sealed document: the receipt, the decision or the
// certificate of silence.
func (x *Receipts) paper(w http.ResponseWriter, r *http.Request) {
	kind := r.PathValue("kind")
	c, err := x.Find(r.Context(), x.Actor(r), strings.TrimSuffix(r.PathValue("number"), ".pdf"))
	var f PaperFacts
	if err == nil {
		switch kind {
		case PaperDecision:
			f, err = x.decisionOf(r, c)
		case PaperCertificate:
			f, err = x.certificateOf(r, c)
		case PaperReceipt:
			f.ReceiptFacts, err = x.facts(r, c)
			f.At = f.Filed.At
		default:
			err = problem.New(problem.NotFound, "case.not_found")
		}
	}
	x.hand(w, r, kind, f, err)
}

// hand composes a document, has it sealed and sends it. err is what went wrong before.
func (x *Receipts) hand(w http.ResponseWriter, r *http.Request, kind string, f PaperFacts, err error) {
	if err == nil {
		f.Content, err = x.Content(r.Context(), f.Case)
	}
	var b []byte
	if err == nil && x.Paper == nil {
		err = problem.New(problem.Unavailable, "receipt.no_paper")
	}
	if err == nil {
		b, err = x.Paper(r, kind, f)
	}
	if err != nil {
		x.Site.Fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", `attachment; filename="`+f.Case.Number+"-"+kind+`.pdf"`)
	h.Set("Cache-Control", "private, no-store")
	w.Write(b)
}
