package catalogue

import (
	"strconv"
	"strings"

	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
)

// The columns of lists of things: documents, fees, deadlines, remedies, steps,
// legal references. One column says how many there are, the others go beside it.

// resize makes a list have n things and keeps the ones that are there.
func resize[T any](list []T, n int) []T {
	if n == 0 {
		return nil
	}
	for len(list) < n {
		list = append(list, *new(T))
	}
	return list[:n]
}

// lines adds the columns of a text that each thing of a list has.
func lines[T any](b *columnBuilder, name, path, field string, list func(*model.Procedure) *[]T, at func(*T) *gov.Text) {
	for _, l := range b.langs {
		b.add(column{name + "_" + string(l), path, func(p *model.Procedure) string {
			var texts []string
			said := false
			for i := range *list(p) {
				s := (*at(&(*list(p))[i]))[l]
				texts = append(texts, s)
				said = said || s != ""
			}
			if !said {
				return ""
			}
			return joinLines(texts)
		}, func(p *model.Procedure, s string) (string, bool) {
			texts := splitLines(s)
			things := *list(p)
			if len(texts) > len(things) {
				return strconv.Itoa(len(things)) + " × " + field, false
			}
			for i := range things {
				text := ""
				if i < len(texts) {
					text = texts[i]
				}
				setText(at(&things[i]), l, text)
			}
			return "", true
		}})
	}
}

// bars splits a line into n parts between bars; those that are absent are empty.
func bars(line string, n int) ([]string, bool) {
	parts := strings.Split(line, bar)
	if len(parts) > n {
		return nil, false
	}
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	for len(parts) < n {
		parts = append(parts, "")
	}
	return parts, true
}

// barred joins parts with bars and leaves empty ones at the end out.
func barred(parts ...string) string {
	for len(parts) > 1 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return strings.Join(parts, " "+bar+" ")
}

func (b *columnBuilder) legal() {
	list := func(p *model.Procedure) *[]model.LegalRef { return &p.LegalBasis }
	b.add(column{"legal", "legal_basis", func(p *model.Procedure) string {
		var out []string
		for _, l := range p.LegalBasis {
			out = append(out, string(l.Address))
		}
		return joinLines(out)
	}, func(p *model.Procedure, s string) (string, bool) {
		addresses := splitLines(s)
		p.LegalBasis = resize(p.LegalBasis, len(addresses))
		for i, a := range addresses {
			p.LegalBasis[i].Address = gov.Address(strings.TrimSpace(a))
		}
		return "", true
	}})
	lines(b, "legal", "legal_basis", "legal", list, func(l *model.LegalRef) *gov.Text { return &l.Title })
}

func (b *columnBuilder) evidence() {
	list := func(p *model.Procedure) *[]model.Evidence { return &p.Evidence }
	b.add(column{"evidence", "evidence", func(p *model.Procedure) string {
		var out []string
		for _, e := range p.Evidence {
			out = append(out, barred(e.ID, e.By, e.Type, e.From))
		}
		return strings.Join(out, "\n")
	}, func(p *model.Procedure, s string) (string, bool) {
		const want = "id | user, administration | type | from"
		was := map[string]model.Evidence{}
		for _, e := range p.Evidence {
			was[e.ID] = e
		}
		p.Evidence = nil
		for _, line := range splitLines(s) {
			parts, ok := bars(line, 4)
			if !ok || parts[0] == "" {
				return want, false
			}
			e := was[parts[0]] // a document that moves keeps what has no column
			e.ID, e.By, e.Type, e.From = parts[0], parts[1], parts[2], parts[3]
			e.Name, e.When = e.Name.Clone(), e.When.Clone()
			p.Evidence = append(p.Evidence, e)
		}
		return "", true
	}})
	lines(b, "evidence", "evidence", "evidence", list, func(e *model.Evidence) *gov.Text { return &e.Name })
	lines(b, "evidence_when", "evidence", "evidence", list, func(e *model.Evidence) *gov.Text { return &e.When })
}

// byRule stands for a fee that is worked out by a rule.
const byRule = "rule"

func (b *columnBuilder) fees() {
	list := func(p *model.Procedure) *[]model.Fee { return &p.Fees }
	b.add(column{"fees", "fees", func(p *model.Procedure) string {
		var out []string
		for _, f := range p.Fees {
			switch {
			case f.Amount != nil:
				out = append(out, amount(*f.Amount))
			case f.Min != nil && f.Max != nil:
				out = append(out, amount(*f.Min)+".."+amount(*f.Max))
			default:
				out = append(out, byRule)
			}
		}
		return strings.Join(out, "\n")
	}, func(p *model.Procedure, s string) (string, bool) {
		const want = "75.00, 50.00..100.00, " + byRule
		cells := splitLines(s)
		p.Fees = resize(p.Fees, len(cells))
		for i, c := range cells {
			f := &p.Fees[i]
			f.Amount, f.Min, f.Max = nil, nil, nil
			low, high, span := strings.Cut(c, "..")
			var ok, ok2 bool
			switch {
			case strings.TrimSpace(c) == byRule:
				ok, ok2 = true, true
			case span:
				f.Min, ok = parseAmount(low)
				f.Max, ok2 = parseAmount(high)
			default:
				f.Amount, ok = parseAmount(c)
				ok2 = true
			}
			if !ok || !ok2 {
				return want, false
			}
		}
		return "", true
	}})
	lines(b, "fees", "fees", "fees", list, func(f *model.Fee) *gov.Text { return &f.Name })
	lines(b, "fees_rule", "fees", "fees", list, func(f *model.Fee) *gov.Text { return &f.Rule })
	lines(b, "fees_when", "fees", "fees", list, func(f *model.Fee) *gov.Text { return &f.When })
}

// atOnce stands for a deadline that is over while the person waits.
const atOnce = "at once"

func (b *columnBuilder) deadline() {
	list := func(p *model.Procedure) *[]model.Term { return &p.Deadline.Terms }
	b.add(column{"deadline_days", "deadline.terms", func(p *model.Procedure) string {
		var out []string
		for _, t := range p.Deadline.Terms {
			if t.AtOnce {
				out = append(out, atOnce)
			} else {
				out = append(out, strconv.Itoa(t.Days))
			}
		}
		return strings.Join(out, "\n")
	}, func(p *model.Procedure, s string) (string, bool) {
		cells := splitLines(s)
		p.Deadline.Terms = resize(p.Deadline.Terms, len(cells))
		for i, c := range cells {
			t := &p.Deadline.Terms[i]
			c = strings.TrimSpace(c)
			days, err := strconv.Atoi(c)
			if t.AtOnce = strings.EqualFold(c, atOnce); t.AtOnce {
				days, err = 0, nil
			}
			if err != nil || days < 0 || days > maxDays {
				return "30, " + atOnce, false
			}
			t.Days = days
		}
		return "", true
	}})
	lines(b, "deadline_when", "deadline.terms", "deadline_days", list, func(t *model.Term) *gov.Text { return &t.When })
	b.address("deadline_basis", "deadline.basis", func(p *model.Procedure) *gov.Address { return &p.Deadline.Basis })
	b.text("deadline_elsewhere", "deadline.elsewhere", func(p *model.Procedure) *gov.Text { return &p.Deadline.Elsewhere })
}

// number writes a count of days, nothing for none.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func (b *columnBuilder) remedies() {
	list := func(p *model.Procedure) *[]model.Remedy { return &p.Remedies }
	b.add(column{"remedies", "remedies", func(p *model.Procedure) string {
		var out []string
		for _, r := range p.Remedies {
			out = append(out, barred(r.Kind, number(r.Within), number(r.Answer), string(r.Basis)))
		}
		return strings.Join(out, "\n")
	}, func(p *model.Procedure, s string) (string, bool) {
		const want = "administrative, court | 30 | 15 | /akn/…"
		cells := splitLines(s)
		p.Remedies = resize(p.Remedies, len(cells))
		for i, c := range cells {
			parts, ok := bars(c, 4)
			if !ok || parts[0] == "" {
				return want, false
			}
			r := &p.Remedies[i]
			r.Kind, r.Basis = parts[0], gov.Address(parts[3])
			for j, into := range []*int{&r.Within, &r.Answer} {
				*into = 0
				if v := parts[1+j]; v != "" {
					n, err := strconv.Atoi(v)
					if err != nil {
						return want, false
					}
					*into = n
				}
			}
		}
		return "", true
	}})
	lines(b, "remedies_to", "remedies", "remedies", list, func(r *model.Remedy) *gov.Text { return &r.To })
}

func (b *columnBuilder) steps() {
	list := func(p *model.Procedure) *[]model.Step { return &p.Steps }
	b.add(column{"steps", "steps", func(p *model.Procedure) string { return number(len(p.Steps)) },
		func(p *model.Procedure, s string) (string, bool) {
			n := 0
			if s = strings.TrimSpace(s); s != "" {
				var err error
				if n, err = strconv.Atoi(s); err != nil || n < 0 || n > maxItems {
					return "0–" + strconv.Itoa(maxItems), false
				}
			}
			p.Steps = resize(p.Steps, n)
			return "", true
		}})
	lines(b, "steps", "steps", "steps", list, func(s *model.Step) *gov.Text { return &s.Title })
	lines(b, "steps_text", "steps", "steps", list, func(s *model.Step) *gov.Text { return &s.Text })
}
