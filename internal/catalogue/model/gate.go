package model

import (
	"fmt"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Facts are the names of the seven facts that the law on simplification
// requires before a decision's sheet is published, in its order.
var Facts = []string{"name", "administrations", "documents", "fees", "deadline", "silence", "extension"}

// Missing returns the facts of the procedure that nobody has filled in, by name.
// A fact that is filled in but not yet verified counts as given: the page says
// so to the reader.
func (p *Procedure) Missing() []string {
	given := map[string]bool{
		"name":            !p.Name.Empty() && len(p.LegalBasis) > 0,
		"administrations": p.Competent != "" && len(p.Receives) > 0 && len(p.Delivers) > 0,
		"documents":       len(p.Evidence) > 0 || p.NoEvidence,
		"fees":            len(p.Fees) > 0 || p.Free,
		"deadline":        len(p.Deadline.Terms) > 0 || !p.Deadline.Elsewhere.Empty(),
		"silence":         (p.Silence.Effect == SilenceApproval || p.Silence.Effect == SilenceAppeal) && len(p.Remedies) > 0,
		"extension":       p.Extension.Possible == ExtensionYes || p.Extension.Possible == ExtensionNo,
	}
	var missing []string
	for _, f := range Facts {
		if !given[f] {
			missing = append(missing, f)
		}
	}
	return missing
}

// Rules is what a country sets for procedures.
type Rules struct {
	Country *gov.Country
	// Administration reports whether an id is known.
	Administration func(id string) bool
}

// Blocking returns everything that forbids publication, each with the place in
// the procedure and a stable code: a missing fact, a demand that the law forbids,
// a deadline over what the law or a list allows, an administration or document
// type that does not exist. An empty result means that it may be published.
func (p *Procedure) Blocking(r Rules) []problem.Field {
	var out []problem.Field
	for _, f := range p.Missing() {
		out = append(out, problem.At(factPath[f], "fact.missing."+f))
	}
	for _, l := range officialLanguages(r.Country) {
		if strings.TrimSpace(p.Name[l]) == "" {
			out = append(out, problem.At("name."+string(l), "name.language", "lang", string(l)))
		}
	}
	out = append(out, p.bans()...)
	out = append(out, p.overlong(r.Country)...)
	out = append(out, p.unknown(r)...)
	return out
}

// factPath is the field of the form where a missing fact is mended.
var factPath = map[string]string{
	"name": "legal_basis", "administrations": "receives", "documents": "evidence", "fees": "fees",
	"deadline": "deadline", "silence": "silence", "extension": "extension",
}

// officialLanguages are the first two languages of the country: a sheet that
// half of its readers can't read is not published.
func officialLanguages(c *gov.Country) []gov.Lang {
	o := c.Order()
	return o[:min(2, len(o))]
}

// bans returns the demands that the law forbids whatever another text says.
func (p *Procedure) bans() (out []problem.Field) {
	for i, e := range p.Evidence {
		path := fmt.Sprintf("evidence.%d", i)
		name, _ := e.Name.In("", sortedLangs(e.Name))
		if e.Copies > 1 {
			out = append(out, problem.At(path+".copies", "ban.copies", "document", name))
		}
		if e.Legalised {
			out = append(out, problem.At(path+".legalised", "ban.legalised", "document", name))
		}
		if e.Certified {
			out = append(out, problem.At(path+".certified", "ban.certified", "document", name))
		}
		if e.NotPersonal && e.By == ByUser {
			out = append(out, problem.At(path+".not_personal", "ban.not_personal", "document", name))
		}
		if e.By != ByUser && e.By != ByAdministration {
			out = append(out, problem.At(path+".by", "evidence.by", "document", name))
		}
		if e.Name.Empty() {
			out = append(out, problem.At(path+".name", "evidence.name"))
		}
	}
	return out
}

func sortedLangs(t gov.Text) []gov.Lang {
	var ls []gov.Lang
	for l := range t {
		ls = append(ls, l)
	}
	for i := range ls {
		for j := i + 1; j < len(ls); j++ {
			if ls[j] < ls[i] {
				ls[i], ls[j] = ls[j], ls[i]
			}
		}
	}
	return ls
}

// overlong returns the deadlines over the law's maximum, and over that of a list
// in which the decision stands.
func (p *Procedure) overlong(c *gov.Country) (out []problem.Field) {
	limit := c.Law.Days["deadline"]
	for _, l := range p.Listed {
		if list, ok := c.List(l.List); ok && list.MaxDays > 0 {
			limit = min(limit, list.MaxDays)
		}
	}
	for i, t := range p.Deadline.Terms {
		if t.Days < 0 || (t.Days == 0 && !t.AtOnce) || (limit > 0 && t.Days > limit) {
			out = append(out, problem.At(fmt.Sprintf("deadline.%d", i), "deadline.range",
				"days", fmt.Sprint(t.Days), "limit", fmt.Sprint(limit)))
		}
	}
	return out
}

// unknown returns the references to things that do not exist.
func (p *Procedure) unknown(r Rules) (out []problem.Field) {
	check := func(path, id string) {
		if id != "" && r.Administration != nil && !r.Administration(id) {
			out = append(out, problem.At(path, "administration.unknown", "id", id))
		}
	}
	check("competent", p.Competent)
	for i, id := range p.Receives {
		check(fmt.Sprintf("receives.%d", i), id)
	}
	for i, id := range p.Studies {
		check(fmt.Sprintf("studies.%d", i), id)
	}
	for i, id := range p.Delivers {
		check(fmt.Sprintf("delivers.%d", i), id)
	}
	for i, e := range p.Evidence {
		check(fmt.Sprintf("evidence.%d.from", i), e.From)
		if e.Type != "" {
			if _, ok := r.Country.Outputs[e.Type]; !ok {
				out = append(out, problem.At(fmt.Sprintf("evidence.%d.type", i), "document_type.unknown", "id", e.Type))
			}
		}
	}
	return out
}
