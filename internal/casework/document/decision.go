package document

import "diwan/internal/pdf"

// Decision makes the document of a decision. A refusal without reasons is an
// error: the law has them stand in the decision itself.
func (m *Maker) Decision(f DecisionFacts) ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	if f.On.IsZero() || !f.Granted && len(f.Reasons) == 0 {
		return nil, errUnsaid
	}
	for _, r := range f.Reasons {
		if r.Empty() {
			return nil, errUnsaid
		}
	}
	key, because := "document.granted", "document.conditions"
	if !f.Granted {
		key, because = "document.refused", "document.reasons"
	}
	if f.Contested != "" {
		key, because = "document.appeal_granted", "document.appeal_reasons"
		if !f.Granted {
			key = "document.appeal_refused"
		}
	}
	return m.compose(&f.Facts, key, func(p *page) {
		p.table(append(p.about(&f.Facts), [2]string{"document.decided", p.form.Date(f.On)}, [2]string{"document.signer", p.one(f.Signer)}))
		p.paragraph(body, key+"_text", "procedure", p.one(f.Procedure), "date", p.form.Date(f.Filed), "number", code(f.Contested))
		if len(f.Reasons) > 0 {
			p.paragraph(strong, because)
			p.list(f.Reasons)
		}
		p.remedies(f.Remedies)
		p.basis(&f.Facts)
	})
}

func (p *page) remedies(all []Remedy) {
	if len(all) == 0 {
		return
	}
	p.paragraph(strong, "document.remedies")
	for _, r := range all {
		key := "document.remedy"
		switch {
		case !r.To.Empty() && !r.Until.IsZero():
			key = "document.remedy_to_until"
		case !r.To.Empty():
			key = "document.remedy_to"
		case !r.Until.IsZero():
			key = "document.remedy_until"
		}
		p.paragraph(item, key, "name", p.one(r.Name), "to", p.one(r.To), "date", p.form.Date(r.Until))
	}
}

// SilenceCertificate makes the certificate by which the authority above states
// that a council's silence has meant yes: the facts that the model annexed to the
// decree on local authorities lists, in words of our own.
func (m *Maker) SilenceCertificate(f CertificateFacts) ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	if f.Issuer.Empty() || f.Council.Empty() || f.On.IsZero() || f.Expired.IsZero() {
		return nil, errUnsaid
	}
	f.Office, f.Unit = f.Issuer, nil
	return m.compose(&f.Facts, "document.certificate", func(p *page) {
		rows := append(p.about(&f.Facts),
			[2]string{"document.certificate_number", code(f.Ref)},
			[2]string{"document.issuer", p.one(f.Issuer)},
			[2]string{"document.council", p.one(f.Council)},
			[2]string{"document.expired", p.form.Date(f.Expired)})
		if !f.LetterOn.IsZero() {
			rows = append(rows, [2]string{"document.letter", p.say.T("document.letter_on", "ref", code(f.Letter), "date", p.form.Date(f.LetterOn))})
		}
		p.table(rows)
		switch {
		case f.LetterOn.IsZero():
		case f.Answered:
			p.paragraph(body, "document.letter_answered")
		default:
			p.paragraph(body, "document.letter_unanswered")
		}
		p.paragraph(pdf.Style{Size: 11, After: 6}, "document.certifies", "issuer", p.one(f.Issuer), "council", p.one(f.Council),
			"procedure", p.one(f.Procedure), "number", code(f.Number), "date", p.form.Date(f.Expired))
		if !f.Reasons.Empty() {
			p.paragraph(strong, "document.appeal_reasons")
			p.value(body, f.Reasons)
		}
		p.paragraph(body, "document.fees_stay")
		if !f.Signer.Empty() {
			p.paragraph(body, "document.certified_by", "name", p.one(f.Signer))
		}
		p.basis(&f.Facts)
		place := "document.done_on"
		if !f.Place.Empty() {
			place = "document.done_at"
		}
		p.paragraph(pdf.Style{Size: 10.5, Align: pdf.End, Before: 6}, place, "place", p.one(f.Place), "date", p.form.Date(f.On))
		p.paragraph(pdf.Style{Size: 10.5, Align: pdf.End, After: 46}, "document.seal_here")
	})
}
