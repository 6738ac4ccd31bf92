package casework

import (
	"net/http"
	"slices"

	"diwan/internal/casework/clock"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// Receipts are the public pages on which whoever holds a receipt finds out whether
// it is one: what it states stands there, and nobody's name.
type Receipts struct {
	*Casework
	Site *web.Site
	// Paper makes a document about a case as a sealed PDF; nil where none is made.
	Paper func(r *http.Request, kind string, f PaperFacts) ([]byte, error)
	Actor func(*http.Request) gov.Actor
}

// ReceiptFacts are what a receipt states. They are those of the day of filing: what
// came later does not change them.
type ReceiptFacts struct {
	Case     *Case
	Terms    *Terms
	Office   gov.Text
	Content  Content // empty for the public
	Complete bool
	Missing  []Document
	Filed    Event
	Due      gov.Date // as it stood at filing
	Approves bool
	Lang     gov.Lang
	// Certificate is that of the administration above, Certifier its name; nil without
	// one.
	Certificate *Event
	Certifier   gov.Text
	Payment     *Payment // whose receipt is checked; nil for that of the application
}

// Register adds the pages to the public mux and to the person's own.
func (x *Receipts) Register(public *http.ServeMux) {
	public.HandleFunc("GET /receipts/{number}", x.page)
}

// RegisterOwn adds what only those may have who may see the case.
func (x *Receipts) RegisterOwn(mux *http.ServeMux, root string) {
	mux.HandleFunc("GET "+root+"/papers/{kind}/{number}", x.paper)
	mux.HandleFunc("GET "+root+"/payments/{id}/receipt.pdf", x.payment)
	mux.HandleFunc("GET "+root+"/letters/{number}/{seq}", x.letter)
}

// facts gathers what a receipt states.
func (x *Receipts) facts(r *http.Request, c *Case) (ReceiptFacts, error) {
	ctx := r.Context()
	f := ReceiptFacts{Case: c, Office: x.OfficeName(c.Administration), Lang: web.LangOf(r)}
	var err error
	if f.Terms, err = x.TermsOf(ctx, c); err != nil {
		return f, err
	}
	all, clears, err := events(ctx, x.DB.Reader(), c)
	if err != nil {
		return f, err
	}
	if err := verify(c, all, clears); err != nil || len(all) == 0 {
		return f, err
	}
	f.Filed = all[0]
	if f.Certificate = certificateIn(all); f.Certificate != nil {
		f.Certifier = x.OfficeName(f.Certificate.Clear.To)
	}
	f.Complete = f.Filed.Clear.Complete == nil || *f.Filed.Clear.Complete
	for _, id := range f.Filed.Clear.Items {
		if d, ok := f.Terms.Document(id); ok {
			f.Missing = append(f.Missing, d)
		}
	}
	out, err := clock.Run(*x.law(), input(f.Terms, all[:1], c.Filed))
	if err != nil {
		return f, err
	}
	f.Due = out.Due
	if f.Due.IsZero() && len(out.Timers) > 0 {
		f.Due = out.Timers[0].Due
	}
	f.Approves = slices.ContainsFunc(f.Terms.Lists, func(l string) bool { return x.Rules.Lists[l].Approves })
	return f, nil
}

// receiptPage is what whoever checks a receipt sees.
type receiptPage struct {
	ReceiptFacts
	Paid *payRow // the payment whose receipt it is; nil for that of the application
}

// page answers whoever checks a receipt.
func (x *Receipts) page(w http.ResponseWriter, r *http.Request) {
	number, ok := ReadNumber(r.PathValue("number"))
	var c *Case
	err := error(errNoCase)
	if ok {
		c, err = caseByNumber(r.Context(), x.DB.Reader(), number)
	}
	var f ReceiptFacts
	if err == nil {
		f, err = x.facts(r, c)
	}
	id := r.URL.Query().Get(paymentQuery)
	if err == nil && id != "" {
		f.Payment, err = x.paidFor(r.Context(), c, id)
	}
	if err != nil {
		if problem.Is(err, problem.NotFound) {
			err = problem.New(problem.NotFound, "receipt.not_found")
		}
		x.Site.Fail(w, r, err)
		return
	}
	d := receiptPage{ReceiptFacts: f}
	if f.Payment != nil {
		row := x.payRow(f.Payment)
		d.Paid = &row
	}
	x.Site.Show(w, r, http.StatusOK, web.Page{Template: "casework/receipt", Title: x.Site.Printer(r).T("casework.receipt"), Path: asked("/receipts/"+number, paymentQuery, id), Hidden: true, Data: d})
}
