package document

import (
	"errors"

	"diwan/internal/gov"
)

// errUnsaid says that a document would lack what the law makes it say.
var errUnsaid = errors.New("a document lacks facts that it must state")

func (f *Facts) check() error {
	if f.Number == "" || f.Office.Empty() || f.Procedure.Empty() || f.Filed.IsZero() || f.At.IsZero() {
		return errUnsaid
	}
	return nil
}

// Receipt makes the receipt of an application, with one of the two statements that
// the law knows: that the file is complete, or what it lacks, whole and at once.
func (m *Maker) Receipt(f ReceiptFacts) ([]byte, error) {
	complete := len(f.Missing) == 0
	if err := f.check(); err != nil {
		return nil, err
	}
	if f.Days < 0 || complete && f.Due.IsZero() {
		return nil, errUnsaid
	}
	name := "document.receipt"
	if f.Contested != "" {
		name = "document.appeal_receipt"
	}
	return m.compose(&f.Facts, name, func(p *page) {
		statement := "document.complete"
		if !complete {
			statement = "document.incomplete"
		}
		p.paragraph(said, statement)
		p.table(append(p.when(&f), [2]string{"document.days_announced", p.days(f.Days)}, [2]string{"document.due", p.form.Date(f.Due)}))
		if !complete {
			p.missing(&f)
		}
		p.follows(&f, complete)
		p.basis(&f.Facts)
	})
}

// when are the first facts, with the hour of filing.
func (p *page) when(f *ReceiptFacts) [][2]string {
	rows := p.about(&f.Facts)
	if !f.FiledAt.IsZero() {
		at := f.FiledAt.In(p.m.Country.Zone())
		rows[len(rows)-1][1] = p.say.T("document.at", "date", p.form.Date(gov.DateOf(at, p.m.Country.Zone())), "time", at.Format("15:04"))
	}
	return rows
}

func (p *page) missing(f *ReceiptFacts) {
	p.paragraph(strong, "document.missing")
	p.list(f.Missing)
	if !f.CompleteBy.IsZero() {
		p.paragraph(body, "document.complete_by", "date", p.form.Date(f.CompleteBy))
	}
}

// follows says what the administration owes and what its silence means.
func (p *page) follows(f *ReceiptFacts, complete bool) {
	p.paragraph(strong, "document.next")
	if f.Contested != "" {
		p.paragraph(body, "document.appeal_answer_by", "date", p.form.Date(f.Due))
		p.paragraph(body, "document.appeal_proof")
		return
	}
	if complete {
		p.paragraph(body, "document.answer_by", "date", p.form.Date(f.Due))
	} else {
		p.paragraph(body, "document.starts_later", "days", p.days(f.Days))
	}
	switch {
	case f.SilenceApproves && !f.SilenceFrom.IsZero():
		p.paragraph(body, "document.silence_approves", "date", p.form.Date(f.SilenceFrom))
	case f.SilenceApproves:
		p.paragraph(body, "document.silence_will_approve")
	case !f.SilenceFrom.IsZero():
		p.paragraph(body, "document.silence_appeal", "date", p.form.Date(f.SilenceFrom))
	default:
		p.paragraph(body, "document.silence_will_appeal")
	}
	p.paragraph(body, "document.proof")
}
