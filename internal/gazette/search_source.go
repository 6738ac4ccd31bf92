package gazette

import (
	"context"
	"fmt"
	"strings"

	"diwan/internal/gazette/model"
	"diwan/internal/gazette/search"
	"diwan/internal/gov"
	"diwan/lexis"
)

// searchSource gives the search index what it reads.
type searchSource struct{ g *Gazette }

// SearchSource returns the law as the search index reads it.
func (g *Gazette) SearchSource() search.Source { return searchSource{g} }

// Revision implements search.Source.
func (s searchSource) Revision(ctx context.Context) (int64, error) { return s.g.Revision(ctx) }

// Works implements search.Source.
func (s searchSource) Works(ctx context.Context, each func(*search.Work) error) error {
	works, err := s.g.store.works(ctx, s.g.store.db.Reader(), `ORDER BY id`)
	if err != nil {
		return err
	}
	for _, w := range works {
		x := search.Work{ID: w.ID, Kind: w.Kind, Number: string(w.Number), Signed: string(w.Signed), Authority: authorityKey(w.Authority), Subject: w.Subject,
			State: string(w.Status.State), Year: yearOf(w.Signed, w.ID), Cited: w.Cited, Suspect: w.Suspect, Titles: map[string]string{}}
		if w.Suspect { // its dates can't be trusted
			x.Signed, x.Year = "", 0
		}
		for l, t := range w.Titles {
			x.Titles[string(l)] = t
		}
		if err := each(&x); err != nil {
			return err
		}
	}
	return nil
}

// authorityKey drops the signs that print puts around an authority.
func authorityKey(s string) string { return strings.Trim(oneLine(s), " .;,:\u060c\u061b") }

// Texts implements search.Source.
func (s searchSource) Texts(ctx context.Context, each func(*search.Text) error) error {
	rows, err := s.g.store.db.Reader().QueryContext(ctx, `SELECT id, work, lang, version, form FROM gazette_text`)
	if err != nil {
		return fmt.Errorf("reading texts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var t search.Text
		var form model.Form
		if err := rows.Scan(&t.ID, &t.Work, &t.Lang, &t.Version, &form); err != nil {
			return fmt.Errorf("reading texts: %w", err)
		}
		t.Consolidated = form == model.ConsolidatedForm
		if err := each(&t); err != nil {
			return err
		}
	}
	return rows.Err()
}

// notSearched are the pieces that nobody looks for: notes of the print, and the
// formula that stands in every act.
var notSearched = []any{model.PieceNote, model.PieceFormula}

// Rows implements search.Source.
func (s searchSource) Rows(ctx context.Context, texts []string, each func(*search.Row) error) error {
	args := append([]any{}, notSearched...)
	query := `SELECT text, eid, kind, heading, body, valid_from, valid_until FROM gazette_piece WHERE kind NOT IN (` + places(1, len(args)) + `) AND body <> ''
		AND NOT (valid_from = '' AND valid_until <> '' AND EXISTS (SELECT 1 FROM gazette_text t WHERE t.id = gazette_piece.text AND t.version <> ''))`
	if texts != nil {
		query += ` AND text IN (` + places(len(args)+1, len(texts)) + `)`
		for _, t := range texts {
			args = append(args, t)
		}
	}
	rows, err := s.g.store.db.Reader().QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("reading pieces: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r search.Row
		if err := rows.Scan(&r.Text, &r.EID, &r.Kind, &r.Heading, &r.Body, &r.From, &r.Until); err != nil {
			return fmt.Errorf("reading pieces: %w", err)
		}
		if err := each(&r); err != nil {
			return err
		}
	}
	return rows.Err()
}

// places are n numbered places for values, from first on.
func places(first, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("$" + itoa(first+i))
	}
	return b.String()
}

// Bodies implements search.Source.
func (s searchSource) Bodies(ctx context.Context, refs []search.Ref, max int) ([]search.Body, error) {
	out := make([]search.Body, len(refs))
	if len(refs) == 0 {
		return out, nil
	}
	at := make(map[search.Ref]int, len(refs))
	args := []any{max}
	var keys strings.Builder
	for i, r := range refs {
		at[r] = i
		if i > 0 {
			keys.WriteByte(',')
		}
		keys.WriteString("(" + places(len(args)+1, 3) + ")")
		args = append(args, r.Text, r.EID, r.From)
	}
	rows, err := s.g.store.db.Reader().QueryContext(ctx, `WITH k(t, e, f) AS (VALUES `+keys.String()+`)
		SELECT p.text, p.eid, p.valid_from, p.num, p.heading, substr(p.body, 1, CAST($1 AS INTEGER)) FROM k
		JOIN gazette_piece p ON p.text = k.t AND p.eid = k.e AND p.valid_from = k.f`, args...)
	if err != nil {
		return nil, fmt.Errorf("reading pieces: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r search.Ref
		var b search.Body
		if err := rows.Scan(&r.Text, &r.EID, &r.From, &b.Num, &b.Heading, &b.Text); err != nil {
			return nil, fmt.Errorf("reading pieces: %w", err)
		}
		if i, ok := at[r]; ok {
			out[i] = b
		}
	}
	return out, rows.Err()
}

// TitlePairs returns the titles of works that are held in more than one
// language.
func (g *Gazette) TitlePairs(ctx context.Context) ([]gov.Text, error) {
	works, err := g.store.works(ctx, g.store.db.Reader(), ``)
	if err != nil {
		return nil, err
	}
	var out []gov.Text
	for _, w := range works {
		if len(w.Titles) < 2 {
			continue
		}
		t := gov.Text{}
		for l, s := range w.Titles {
			t[gov.Lang(twoLetters(l))] = s
		}
		out = append(out, t)
	}
	return out, nil
}

// SearchValues gives the values of a facet that a word stands for: people write
// "kind:décret" and "lang:fr", the index holds ids.
func (g *Gazette) SearchValues(facet, word string) []string {
	var out []string
	add := func(id string, names map[string]string) {
		for _, n := range names {
			if lexis.FoldFrench(n) == lexis.FoldFrench(word) || lexis.NormalizeArabic(n) == lexis.NormalizeArabic(word) {
				out = append(out, id)
			}
		}
	}
	switch facet {
	case search.FacetKind:
		for _, k := range g.grammar.Config.Kinds {
			add(k.ID, k.Names)
		}
	case search.FacetSubject:
		for _, s := range g.grammar.Config.Subjects {
			add(s.ID, s.Names)
		}
	case search.FacetLang:
		out = append(out, g.threeLetters(gov.Lang(strings.ToLower(word))))
	}
	return out
}
