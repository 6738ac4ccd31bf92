package model

import "diwan/internal/gov"

// OnlineService is a channel through which procedures are done. It is not the
// procedure: one site may serve many procedures, and one procedure have several.
type OnlineService struct {
	ID             string   `json:"id"`
	Name           gov.Text `json:"name"`
	Administration string   `json:"administration"`
	URL            string   `json:"url"`
	// Channel is "web", "app", "phone" or "counter"; Level says how far one gets:
	// "information", "forms", "booking", "application", "payment", "whole".
	Channel    string     `json:"channel"`
	Level      string     `json:"level,omitempty"`
	Available  gov.Text   `json:"available,omitempty"` // when, when not always
	Procedures []string   `json:"procedures"`
	Sources    []Source   `json:"sources,omitempty"`
	Unverified []string   `json:"unverified,omitempty"`
	Translated []gov.Lang `json:"translated,omitempty"`
}

// Theme groups procedures by subject.
type Theme struct {
	ID   string   `json:"id"`
	Name gov.Text `json:"name"`
	Icon string   `json:"icon"` // a name of the web package's icon set
	// About is one line of examples.
	About      gov.Text   `json:"about,omitempty"`
	Translated []gov.Lang `json:"translated,omitempty"`
}

// LifeEvent is something that happens to a person or a firm and brings several
// procedures with it, in an order.
type LifeEvent struct {
	ID     string   `json:"id"`
	Kind   string   `json:"kind"` // "life" or "business"
	Name   gov.Text `json:"name"`
	Icon   string   `json:"icon"`
	Short  gov.Text `json:"short"` // two examples, for the tile
	Intro  gov.Text `json:"intro"`
	Stages []Stage  `json:"stages"`
	// Questions lead to the procedures that concern the person.
	Questions  []Question `json:"questions,omitempty"`
	Translated []gov.Lang `json:"translated,omitempty"`
	Unverified []string   `json:"unverified,omitempty"`
}

// Stage is one step of the journey.
type Stage struct {
	Title      gov.Text `json:"title"`
	Text       gov.Text `json:"text,omitempty"`
	Procedures []string `json:"procedures,omitempty"`
	// When says who this stage concerns; empty is everybody.
	When gov.Text `json:"when,omitempty"`
}

// Question is one node of a decision path. Its answers stand in the address of
// the page, so it must never ask for personal data.
type Question struct {
	ID      string   `json:"id"`
	Text    gov.Text `json:"text"`
	Hint    gov.Text `json:"hint,omitempty"`
	Answers []Answer `json:"answers"`
}

// Answer leads to the next question or, when Next is empty, to the outcome.
// Procedures are added to what the person needs.
type Answer struct {
	ID         string   `json:"id"`
	Text       gov.Text `json:"text"`
	Next       string   `json:"next,omitempty"`
	Procedures []string `json:"procedures,omitempty"`
	Note       gov.Text `json:"note,omitempty"`
}
