package grammar

import "diwan/internal/gazette/model"

// Config is a country's gazette.json.
type Config struct {
	// Digits are the sets of digits in use besides 0 to 9, each from zero on.
	Digits []string `json:"digits"`
	// Separators are the characters that stand between the parts of a number.
	Separators string `json:"separators"`
	// Stops are the characters that end a sentence or a clause.
	Stops string `json:"stops"`
	// Quotes are pairs of an opening and a closing mark.
	Quotes []string `json:"quotes"`
	// Repeats name in a label the articles put in after one: bis, ter…
	Repeats []string `json:"repeats"`
	// Unique is the label of the only article of an act.
	Unique string `json:"unique"`
	// Keeper is the id of the administration that keeps the gazette, whose editors
	// work at its desk; empty is none but those who edit for all.
	Keeper    string                   `json:"keeper,omitempty"`
	Editions  []Edition                `json:"editions"`
	Subjects  []Subject                `json:"subjects,omitempty"`
	Kinds     []Kind                   `json:"kinds"`
	Languages map[model.Lang]*Language `json:"languages"`
}

// Edition is one of the series in which the gazette appears.
type Edition struct {
	ID    string     `json:"id"`
	Lang  model.Lang `json:"lang,omitempty"`
	Marks []string   `json:"marks"` // what its pages say
	// Names are what pages call it, by the languages of pages.
	Names map[string]string `json:"names,omitempty"`
}

// Subject is an entry of the index by subject.
type Subject struct {
	ID    string            `json:"id"`
	Names map[string]string `json:"names"` // by the languages of pages
}

// Kind is a kind of act.
type Kind struct {
	ID   string `json:"id"`
	Path string `json:"path"` // its name in addresses
	// Series is the first part of its numbers when all share it; it tells which
	// end of a number comes first in damaged text.
	Series string `json:"series,omitempty"`
	// Carries says that another act follows it and is part of it, as a law
	// follows the act that promulgates it.
	Carries bool `json:"carries,omitempty"`
	// Authored: its title names who made it before number and date.
	Authored bool `json:"authored,omitempty"`
	// Unnumbered: its title needs no number and no date.
	Unnumbered bool `json:"unnumbered,omitempty"`
	// Attached: it is published by another act, never alone.
	Attached bool `json:"attached,omitempty"`
	// Names are what pages call it, by the languages of pages.
	Names map[string]string `json:"names,omitempty"`
}

// Language is how the gazette is written in one language.
type Language struct {
	// Script is the Unicode name of its script: Arabic, Latin.
	Script      string     `json:"script"`
	CivilMonths [][]string `json:"civil_months"` // twelve, each with its spellings
	LunarMonths [][]string `json:"lunar_months,omitempty"`
	FirstDay    []string   `json:"first_day,omitempty"`
	DateGlue    []string   `json:"date_glue,omitempty"`
	NumberWords []string   `json:"number_words"`
	// NumberMark stands between the parts of a number in this language; empty is
	// a hyphen.
	NumberMark string `json:"number_mark,omitempty"`
	// NumberJoins stand between the parts of a number: "12 of 2020".
	NumberJoins []string `json:"number_joins,omitempty"`

	Kinds    map[string]KindNames `json:"kinds"`
	Dated    []string             `json:"dated,omitempty"`    // what stands before the date in a title
	Subjects []string             `json:"subjects,omitempty"` // words with which the subject of a title begins
	Units    []UnitNames          `json:"units"`              // from the outermost
	Articles []ArticleNames       `json:"articles"`

	Unique       []string            `json:"unique,omitempty"`
	Preliminary  []string            `json:"preliminary,omitempty"`
	Ordinals     map[string][]string `json:"ordinals,omitempty"` // 1 to 10, tens, hundreds
	Teens        []string            `json:"teens,omitempty"`    // adds ten to the word before
	OrdinalGlue  []string            `json:"ordinal_glue,omitempty"`
	RepeatWords  []string            `json:"repeat_words,omitempty"`
	RepeatCounts map[string][]string `json:"repeat_counts,omitempty"`

	Phrases     map[Role][]string           `json:"phrases"`
	Relations   map[model.Relation][]string `json:"relations,omitempty"`
	Authorities []string                    `json:"authorities,omitempty"`
}

// KindNames are the names of one kind: as they stand in the title of an act,
// and as other texts cite it.
type KindNames struct {
	Titles []string `json:"titles"`
	Cited  []string `json:"cited,omitempty"`
}

// UnitNames are the names of one level above the article.
type UnitNames struct {
	Kind  model.UnitKind `json:"kind"`
	Rank  int            `json:"rank"` // smaller is further out
	Names []string       `json:"names"`
	// OrdinalFirst: the number may stand before the name.
	OrdinalFirst bool `json:"ordinal_first,omitempty"`
}

// ArticleNames are the words of one way to number articles. Where one act uses
// words of two groups, those of the other group are not its articles.
type ArticleNames struct {
	Names []string `json:"names"`
	// Weak words count as articles only where no other group does.
	Weak bool `json:"weak,omitempty"`
}

// Role is what a formula does in a text.
type Role string

// The roles of formulas.
const (
	Praise        Role = "praise"
	Visa          Role = "visa"     // opens a visa
	Enacting      Role = "enacting" // ends the preamble
	Publish       Role = "publish"
	Promulgates   Role = "promulgates" // in a title: another act follows
	Closing       Role = "closing"     // place and date
	Countersign   Role = "countersign"
	Signature     Role = "signature"
	AnnexHead     Role = "annex"
	Consolidated  Role = "consolidated"
	AmendedBy     Role = "amended_by"
	Gazette       Role = "gazette"
	IssueWord     Role = "issue"
	PageWord      Role = "page"
	BisWord       Role = "bis"
	NoteHead      Role = "note"       // opens a footnote
	NoteAlone     Role = "note_alone" // a note that has no mark
	Table         Role = "table"
	Running       Role = "running" // heads a page
	SummaryHead   Role = "summary"
	SectionHead   Role = "section"
	Opinion       Role = "opinion" // opens what follows an act without being part of it
	Repealed      Role = "repealed"
	Amend         Role = "amend" // verbs of amending clauses
	CitedAfter    Role = "cited_after"
	CitedBefore   Role = "cited_before"
	ThisAct       Role = "this_act"
	Place         Role = "place"
	YearHead      Role = "year_head"
	AttachedIntro Role = "attached_intro"
)

var roles = []Role{Praise, Visa, Enacting, Publish, Promulgates, Closing, Countersign, Signature, AnnexHead, Consolidated,
	AmendedBy, Gazette, IssueWord, PageWord, BisWord, NoteHead, NoteAlone, Table, Running, SummaryHead, SectionHead, Opinion, Repealed,
	Amend, CitedAfter, CitedBefore, ThisAct, Place, YearHead, AttachedIntro}
