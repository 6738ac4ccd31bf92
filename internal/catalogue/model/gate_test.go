package model

import (
	"slices"
	"testing"

	"diwan/internal/gov"
)

func country() *gov.Country {
	return &gov.Country{
		Languages: []gov.Language{{Code: "en"}, {Code: "fr"}},
		Lists:     []gov.List{{ID: "fast", MaxDays: 10}},
		Law:       gov.Law{Days: map[string]int{"deadline": 40}},
		Outputs:   map[string]gov.DocumentType{"card": {}},
	}
}

func complete() *Procedure {
	return &Procedure{
		ID: "p", Name: gov.Text{"en": "P", "fr": "P"}, Competent: "a", Receives: []string{"a"}, Delivers: []string{"a"},
		LegalBasis: []LegalRef{{Address: "/akn/x"}}, NoEvidence: true, Free: true,
		Deadline: Deadline{Terms: []Term{{Days: 9}}}, Silence: Silence{Effect: SilenceAppeal},
		Remedies: []Remedy{{Kind: "court"}}, Extension: Extension{Possible: ExtensionNo},
	}
}

func TestBlocking(t *testing.T) {
	doc := func(e Evidence) func(*Procedure) {
		return func(p *Procedure) {
			if e.Name == nil {
				e.Name = gov.Text{"en": "Doc"}
			}
			p.Evidence = []Evidence{e}
		}
	}
	tests := []struct {
		name   string
		change func(*Procedure)
		want   []string
	}{
		{"complete", func(*Procedure) {}, nil},
		{"no law", func(p *Procedure) { p.LegalBasis = nil }, []string{"fact.missing.name"}},
		{"nobody receives", func(p *Procedure) { p.Receives = nil }, []string{"fact.missing.administrations"}},
		{"documents never filled in", func(p *Procedure) { p.NoEvidence = false }, []string{"fact.missing.documents"}},
		{"fees", func(p *Procedure) { p.Free = false }, []string{"fact.missing.fees"}},
		{"deadline", func(p *Procedure) { p.Deadline.Terms = nil }, []string{"fact.missing.deadline"}},
		{"deadline elsewhere", func(p *Procedure) { p.Deadline = Deadline{Elsewhere: gov.Text{"en": "by order"}} }, nil},
		{"silence", func(p *Procedure) { p.Silence.Effect = "" }, []string{"fact.missing.silence"}},
		{"remedies", func(p *Procedure) { p.Remedies = nil }, []string{"fact.missing.silence"}},
		{"extension", func(p *Procedure) { p.Extension.Possible = "" }, []string{"fact.missing.extension"}},
		{"one language", func(p *Procedure) { p.Name["fr"] = " " }, []string{"name.language"}},
		{"two copies", doc(Evidence{By: ByUser, Copies: 2}), []string{"ban.copies"}},
		{"one copy", doc(Evidence{By: ByUser, Copies: 1}), nil},
		{"legalised", doc(Evidence{By: ByUser, Legalised: true}), []string{"ban.legalised"}},
		{"certified", doc(Evidence{By: ByUser, Certified: true}), []string{"ban.certified"}},
		{"not personal", doc(Evidence{By: ByUser, NotPersonal: true}), []string{"ban.not_personal"}},
		{"not personal, fetched", doc(Evidence{By: ByAdministration, NotPersonal: true}), nil},
		{"by nobody", doc(Evidence{}), []string{"evidence.by"}},
		{"unknown type", doc(Evidence{By: ByUser, Type: "scroll"}), []string{"document_type.unknown"}},
		{"known type", doc(Evidence{By: ByUser, Type: "card"}), nil},
		{"over the law", func(p *Procedure) { p.Deadline.Terms[0].Days = 41 }, []string{"deadline.range"}},
		{"over the list", func(p *Procedure) { p.Deadline.Terms[0].Days = 11; p.Listed = []Listing{{List: "fast"}} }, []string{"deadline.range"}},
		{"zero days", func(p *Procedure) { p.Deadline.Terms[0].Days = 0 }, []string{"deadline.range"}},
		{"at once", func(p *Procedure) { p.Deadline.Terms[0] = Term{AtOnce: true} }, nil},
		{"stranger", func(p *Procedure) { p.Delivers = []string{"z"} }, []string{"administration.unknown"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := complete()
			tt.change(p)
			var codes []string
			for _, f := range p.Blocking(Rules{Country: country(), Administration: func(id string) bool { return id == "a" }}) {
				codes = append(codes, f.Code)
			}
			if !slices.Equal(codes, tt.want) {
				t.Errorf("blocked by %v, want %v", codes, tt.want)
			}
		})
	}
}

func TestMoves(t *testing.T) {
	for _, from := range States {
		for _, to := range States {
			may := from.May(to)
			if may && (from == Withdrawn || to == Listed || (to == Published && from != Review)) {
				t.Errorf("%s may become %s", from, to)
			}
		}
	}
}
