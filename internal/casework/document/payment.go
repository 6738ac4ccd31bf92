package document

import "diwan/internal/gov"

// PaymentFacts are what a receipt of payment says.
type PaymentFacts struct {
	Facts
	Payer     gov.Text
	Amount    gov.Centimes
	On        gov.Date // of the payment
	Order     string
	Reference string   // the provider's; may be empty
	Back      gov.Date // on which the amount was given back; zero while it was not
}

// PaymentReceipt makes the receipt of what was paid for a case. One that was given
// back says so: whoever is shown it must not take it for proof that the fee was paid.
func (m *Maker) PaymentReceipt(f PaymentFacts) ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	if f.Amount <= 0 || f.On.IsZero() || f.Order == "" {
		return nil, errUnsaid
	}
	return m.compose(&f.Facts, "document.payment", func(p *page) {
		if !f.Back.IsZero() {
			p.paragraph(said, "document.payment_back", "date", p.form.Date(f.Back))
		}
		p.table(append(p.about(&f.Facts),
			[2]string{"document.payment_amount", p.form.Money(f.Amount)},
			[2]string{"document.payment_on", p.form.Date(f.On)},
			[2]string{"document.payment_by", p.one(f.Payer)},
			[2]string{"document.payment_order", code(f.Order)},
			[2]string{"document.payment_reference", code(f.Reference)}))
		p.paragraph(body, "document.payment_text", "amount", p.form.Money(f.Amount), "number", code(f.Number), "date", p.form.Date(f.On))
	})
}
