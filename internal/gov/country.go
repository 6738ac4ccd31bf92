package gov

import "time"

// Country is what a program knows of the state it serves. All of it is data of
// the country pack; the program knows what a deadline, an identifier or an act
// is, never which number a particular law sets.
type Country struct {
	Code string `json:"code"` // ISO 3166-1 alpha-2
	// DistinguishingSign is the sign of vehicles in traffic abroad (Convention on Road
	// Traffic, Vienna 1968, annex 3); empty where nobody has given it.
	DistinguishingSign string `json:"distinguishing_sign"`

	Name      Text       `json:"name"`
	Portal    Text       `json:"portal"` // the portal's own name
	Languages []Language `json:"languages"`
	TimeZone  string     `json:"time_zone"` // IANA name
	Weekend   []string   `json:"weekend"`   // English weekday names, lower case
	Currency  Currency   `json:"currency"`
	// Months and Weekdays hold the names in each language; January and Sunday
	// come first.
	Months   map[Lang][]string       `json:"months"`
	Weekdays map[Lang][]string       `json:"weekdays"`
	Numbers  map[Lang]NumberSymbols  `json:"numbers"`
	DateForm map[Lang]string         `json:"date_form"` // {weekday} {day} {month} {year}
	Kinds    map[string]Text         `json:"administration_kinds"`
	Schemes  []Identifier            `json:"identifiers"`
	Law      Law                     `json:"law"`
	Lists    []List                  `json:"lists"`
	Regions  []Region                `json:"regions"`
	Map      RegionMap               `json:"map"`
	Holidays []Holiday               `json:"holidays"`
	Audience map[string]Text         `json:"audiences"`
	Outputs  map[string]DocumentType `json:"document_types"`

	zone     *time.Location
	calendar Calendar
}

// Currency is the country's money.
type Currency struct {
	Code   string `json:"code"` // ISO 4217
	Symbol Text   `json:"symbol"`
}

// NumberSymbols separate groups of three digits and decimals in writing.
type NumberSymbols struct {
	Group   string `json:"group"`
	Decimal string `json:"decimal"`
}

// Identifier is a scheme of numbers for people, firms or phones.
type Identifier struct {
	ID      string `json:"id"`
	Name    Text   `json:"name"`
	Pattern string `json:"pattern"`
	// Strict schemes refuse what does not match; others only warn, because no
	// official specification is known.
	Strict bool `json:"strict"`
}

// Law holds the statute of administrative simplification: where each rule
// stands and the numbers it sets.
type Law struct {
	Act   Address `json:"act"`
	Title Text    `json:"title"`
	Short Text    `json:"short"`
	// Articles maps the name of a rule ("facts", "documents", "bans", "receipt",
	// "complement", "deadline", "extension", "reasons", "silence", "escalation",
	// "appeal", "fetch") to the addresses of its articles.
	Articles map[string][]Address `json:"articles"`
	// Days maps the name of a period ("deadline", "complete", "appeal",
	// "appeal_answer", "delivery", "fetch_failed") to its length in days.
	Days map[string]int `json:"days"`
	// Phrases are sentences that follow from the law for every procedure, by name:
	// "deadline_unlisted", "deadline_local", "appeal_to", "why_extension".
	Phrases map[string]Text `json:"phrases"`
	// FullPeriods and Roll say how periods are counted; see Calendar.
	FullPeriods bool `json:"full_periods"`
	Roll        bool `json:"roll"`
}

// List is an official list of decisions to which a rule applies.
type List struct {
	ID     string  `json:"id"`
	Act    Address `json:"act"`
	Decree string  `json:"decree"` // the number as cited
	Title  Text    `json:"title"`
	Short  Text    `json:"short"`
	// Effect is what standing in the list means: "deadline", "extension" or
	// "silence".
	Effect string `json:"effect"`
	// MaxDays caps the deadline of the decisions listed; 0 when it does not.
	MaxDays int `json:"max_days,omitempty"`
}

// Region is a part of the country.
type Region struct {
	ID      string `json:"id"`
	Name    Text   `json:"name"`
	Capital Text   `json:"capital"`
	// Tile places the region on a schematic map: column and row.
	Tile [2]int `json:"tile"`
	// Path outlines it on a drawn map, in the map's own units; may be empty.
	Path string `json:"path,omitempty"`
}

// RegionMap describes the drawing that the regions' shapes belong to.
type RegionMap struct {
	ViewBox string `json:"view_box"`
	Note    Text   `json:"note"` // what the drawing is and is not
}

// Holiday is a day on which offices are closed. Approximate ones depend on the
// sighting of the moon and are confirmed by an official notice.
type Holiday struct {
	Date        Date `json:"date"`
	Name        Text `json:"name"`
	Approximate bool `json:"approximate,omitempty"`
}

// DocumentType is a kind of document that procedures produce or ask for.
type DocumentType struct {
	Name   Text `json:"name"`
	Plural Text `json:"plural,omitempty"`
}

// Init checks what Go code relies on and prepares the calendar. A country that
// was not initialised must not be used.
func (c *Country) Init() error {
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return err
	}
	c.zone = zone
	c.calendar = c.makeCalendar()
	return nil
}

// Zone is the country's time zone.
func (c *Country) Zone() *time.Location { return c.zone }

// Order returns the languages in the country's order; the first is the default.
func (c *Country) Order() []Lang {
	ls := make([]Lang, len(c.Languages))
	for i, l := range c.Languages {
		ls[i] = l.Code
	}
	return ls
}

// Language returns the description of a language of the country.
func (c *Country) Language(l Lang) (Language, bool) {
	for _, x := range c.Languages {
		if x.Code == l {
			return x, true
		}
	}
	return Language{}, false
}

// Region returns a region by its id.
func (c *Country) Region(id string) (Region, bool) {
	for _, r := range c.Regions {
		if r.ID == id {
			return r, true
		}
	}
	return Region{}, false
}

// List returns an official list by its id.
func (c *Country) List(id string) (List, bool) {
	for _, l := range c.Lists {
		if l.ID == id {
			return l, true
		}
	}
	return List{}, false
}

// Calendar returns the calendar in which legal periods are counted. It is shared
// and must not be changed.
func (c *Country) Calendar() Calendar { return c.calendar }

func (c *Country) makeCalendar() Calendar {
	cal := Calendar{
		Zone: c.zone, Full: c.Law.FullPeriods, Roll: c.Law.Roll,
		Weekend: map[time.Weekday]bool{}, Holidays: map[Date]Text{},
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		for _, w := range c.Weekend {
			if w == lowerWeekday(d) {
				cal.Weekend[d] = true
			}
		}
	}
	for _, h := range c.Holidays {
		cal.Holidays[h.Date] = h.Name
	}
	return cal
}

func lowerWeekday(d time.Weekday) string {
	s := d.String()
	return string(s[0]+'a'-'A') + s[1:]
}
