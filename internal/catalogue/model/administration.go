package model

import "diwan/internal/gov"

// Administration is any public body that takes decisions or serves people.
type Administration struct {
	ID     string   `json:"id"`
	Name   gov.Text `json:"name"`
	Kind   string   `json:"kind"` // a kind of the country pack
	Parent string   `json:"parent,omitempty"`
	Region string   `json:"region,omitempty"` // "" serves the whole country
	// About says in a sentence what it does for people.
	About     gov.Text   `json:"about,omitempty"`
	Languages []gov.Lang `json:"languages,omitempty"`
	Contacts  []Contact  `json:"contacts,omitempty"`
	Hours     []Hours    `json:"hours,omitempty"`
	Offices   []Office   `json:"offices,omitempty"`
	Sources   []Source   `json:"sources,omitempty"`
	// Unverified names the fields nobody has checked; Translated the languages
	// whose words await a reviewer.
	Unverified []string   `json:"unverified,omitempty"`
	Translated []gov.Lang `json:"translated,omitempty"`
	Demo       bool       `json:"demo,omitempty"`
	// Printed are other spellings found in official texts, for imports.
	Printed []string `json:"printed,omitempty"`
}

// Contact is a way to reach an administration.
type Contact struct {
	Kind  string   `json:"kind"` // "phone", "web", "email", "post"
	Value string   `json:"value"`
	Note  gov.Text `json:"note,omitempty"`
}

// Hours are opening hours of some days of the week.
type Hours struct {
	Days  []string `json:"days"` // English weekday names, lower case
	Open  string   `json:"open"` // "08:30"
	Close string   `json:"close"`
	Note  gov.Text `json:"note,omitempty"`
}

// Office is a place where an administration receives people.
type Office struct {
	ID       string    `json:"id"`
	Name     gov.Text  `json:"name"`
	Region   string    `json:"region"`
	City     gov.Text  `json:"city,omitempty"`
	Address  gov.Text  `json:"address,omitempty"`
	Contacts []Contact `json:"contacts,omitempty"`
	Demo     bool      `json:"demo,omitempty"`
}
