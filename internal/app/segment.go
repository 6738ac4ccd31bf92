package app

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"diwan/internal/gazette/grammar"
	"diwan/internal/gazette/model"
	"diwan/internal/gazette/structure"
	"diwan/lexis"
)

// Segmented is the structure found in one text. Places are bytes of the
// repaired text, which Text holds when it is asked for.
type Segmented struct {
	Lang     model.Lang         `json:"lang"`
	Suspect  bool               `json:"digits_suspect,omitempty"`
	Issue    *model.Issue       `json:"issue,omitempty"`
	Acts     []SegmentedAct     `json:"acts"`
	Articles []SegmentedArticle `json:"articles"`
	Text     string             `json:"text,omitempty"`
}

// SegmentedAct is one act of the text.
type SegmentedAct struct {
	model.Span
	Kind         string              `json:"kind"`
	Number       model.Number        `json:"number"`
	Title        string              `json:"title"`
	Signed       model.Date          `json:"signed,omitempty"`
	Publication  []model.IssueRef    `json:"publication,omitempty"`
	Consolidated *model.Consolidated `json:"consolidated,omitempty"`
	Articles     []SegmentedArticle  `json:"articles"`
	Problems     []model.Problem     `json:"problems,omitempty"`
}

// SegmentedArticle is an article and where it stands.
type SegmentedArticle struct {
	Label string `json:"label"`
	EID   string `json:"eid"`
	Start int    `json:"start"`
	End   int    `json:"end"`
}

// Segment finds the acts and articles in a text, by the grammar of a country
// pack; the built-in one when dir is empty. lang is "ar", "fr" and so on, or ""
// to let the text tell. It needs no database.
func Segment(dir, lang string, in io.Reader) (*Segmented, error) {
	pack, err := LoadCountry(dir)
	if err != nil {
		return nil, err
	}
	g, _, err := Grammar(pack)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(in, structure.MaxText+1))
	if err != nil {
		return nil, fmt.Errorf("reading the text: %w", err)
	}
	if len(raw) > structure.MaxText {
		return nil, fmt.Errorf("the text is larger than %d MiB", structure.MaxText>>20)
	}
	if !utf8.Valid(raw) && strings.Count(string(raw), "\x00") > len(raw)/8 {
		return nil, errors.New("this is not a text")
	}
	body := strings.ToValidUTF8(string(raw), string(utf8.RuneError))
	code, err := languageOf(g, lang, body)
	if err != nil {
		return nil, err
	}
	body = lexis.RepairArabic(body)
	t := &model.Text{Body: body, Lang: code, Suspect: g.Lang(code).SuspectDigits(body)}
	doc := structure.Parse(t, g, structure.Options{})
	return listed(t, doc), nil
}

// languageOf returns the grammar's language for a code of two or three letters,
// or the one the text is written in.
func languageOf(g *grammar.Grammar, lang, text string) (model.Lang, error) {
	if lang == "" {
		return g.Detect(text), nil
	}
	for code := range g.Config.Languages {
		if lang == string(code) || len(lang) == 2 && strings.HasPrefix(string(code), lang) {
			return code, nil
		}
	}
	return "", fmt.Errorf("the gazette of this country is not written in %q", lang)
}

func listed(t *model.Text, doc model.Document) *Segmented {
	s := &Segmented{Lang: t.Lang, Suspect: t.Suspect, Issue: doc.Issue, Acts: []SegmentedAct{}, Articles: []SegmentedArticle{}, Text: t.Body}
	for _, a := range structure.Acts(doc) {
		s.Acts = append(s.Acts, SegmentedAct{Span: a.Span, Kind: a.Kind, Number: a.Number, Title: a.Title, Signed: a.Signed,
			Publication: a.Publication, Consolidated: a.Consolidated, Articles: []SegmentedArticle{}, Problems: a.Problems})
	}
	for _, l := range structure.Articles(doc) {
		a := SegmentedArticle{Label: l.Unit.Label, EID: l.Unit.EID, Start: l.Unit.Start, End: l.Unit.End}
		s.Articles = append(s.Articles, a)
		s.Acts[l.Act].Articles = append(s.Acts[l.Act].Articles, a)
	}
	return s
}
