package gazette

import (
	"sort"

	"diwan/internal/gazette/model"
)

// Codes of the reasons that a state rests on.
const (
	ReasonRepealedBy   = "repealed_by"          // an act that says so
	ReasonRepealMark   = "repeal_mark"          // the title it was published under says so
	ReasonAmendedBy    = "amended_by"           // an act that changes it
	ReasonConsolidated = "consolidated_edition" // an official edition with its changes
	ReasonReliedOn     = "relied_on"            // a later act that rests on it
	ReasonPublished    = "published"            // it appeared on that day
	ReasonNotYet       = "not_yet_published"
	ReasonEnters       = "entry_into_force" // it says itself from when on
)

// reliedYears is how recent an act must be for what it rests on to be taken as
// in force when nothing says otherwise.
const reliedYears = 10

// states computes what is known of each work today. A state without evidence is
// unknown: a text is never in force because nobody said that it is not.
func (g *Gazette) states(ix *index) {
	today := model.Date(g.Today().String())
	repeals, amendments := ix.orders()
	relied := ix.relied()
	for id, w := range ix.works {
		w.Status = g.status(ix, w, today, repeals[id], amendments[id], relied[id])
	}
}

// orders sorts the operations by what they change: those that end a work and
// those that change it.
func (ix *index) orders() (repeals, amendments map[string][]*Operation) {
	repeals, amendments = map[string][]*Operation{}, map[string][]*Operation{}
	for _, o := range ix.ops {
		switch {
		case o.TargetWork == "" || o.State == OpDropped:
		case o.Action == model.RepealAct && o.Manual == "":
			repeals[o.TargetWork] = append(repeals[o.TargetWork], o)
		case o.Action != model.RepealAct:
			amendments[o.TargetWork] = append(amendments[o.TargetWork], o)
		}
	}
	for _, m := range []map[string][]*Operation{repeals, amendments} {
		for _, list := range m {
			sort.SliceStable(list, func(i, j int) bool { return list[i].EffectiveFrom < list[j].EffectiveFrom })
		}
	}
	return repeals, amendments
}

// relied finds for each work the newest act that rests on it.
func (ix *index) relied() map[string]*StoredLink {
	out := map[string]*StoredLink{}
	for _, l := range ix.links {
		if l.To == "" || l.To == l.From || l.Relation != model.Basis && l.Relation != model.Applies {
			continue
		}
		if have := out[l.To]; have == nil || ix.signed(l.From) > ix.signed(have.From) {
			out[l.To] = l
		}
	}
	return out
}

func (ix *index) signed(work string) model.Date {
	if w := ix.works[work]; w != nil && !w.Suspect {
		return w.Signed
	}
	return ""
}

func (g *Gazette) status(ix *index, w *model.Work, today model.Date, repeals, amendments []*Operation, relied *StoredLink) model.Status {
	var s model.Status
	reason := func(code, by, eid string, day model.Date, text string) {
		if len(s.Reasons) < maxReasons {
			s.Reasons = append(s.Reasons, model.Reason{Code: code, Work: by, EID: eid, Date: day, Text: text})
		}
	}
	for _, o := range repeals {
		if o.EffectiveFrom == "" || o.EffectiveFrom <= today {
			reason(ReasonRepealedBy, o.Work, o.EID, o.EffectiveFrom, "")
			if s.State != model.Repealed {
				s.State, s.Since, s.By = model.Repealed, o.EffectiveFrom, o.Work
			}
		}
	}
	published := model.Date("")
	for _, t := range ix.byWork[w.ID] {
		for _, p := range t.Problems {
			if p.Code == ReasonRepealMark { // the title that a list gave its file
				reason(ReasonRepealMark, "", "", "", p.Detail)
				s.State = model.Repealed
			}
		}
		if t.Form == model.OriginalForm && t.Version != "" && (published == "" || t.Version < published) {
			published = t.Version
		}
	}
	if published != "" {
		reason(ReasonPublished, "", "", published, "")
	}
	if s.State == model.Repealed {
		return s
	}
	if day := ix.enters(w.ID); day != "" {
		reason(ReasonEnters, "", ix.entryAt(w.ID), day, "")
		if published <= today && day > today {
			s.State, s.Since = model.NotYet, day
			return s
		}
	}
	if published > today {
		reason(ReasonNotYet, "", "", published, "")
		s.State, s.Since = model.NotYet, published
		return s
	}
	by := map[string]bool{}
	for _, o := range amendments {
		if o.EffectiveFrom > today || by[o.Work] {
			continue
		}
		by[o.Work] = true
		reason(ReasonAmendedBy, o.Work, o.EID, o.EffectiveFrom, "")
		s.State, s.Since, s.By = model.Amended, o.EffectiveFrom, o.Work
	}
	for _, t := range ix.byWork[w.ID] {
		if t.Form == model.ConsolidatedForm && !w.Suspect {
			reason(ReasonConsolidated, "", "", t.Version, "")
			if s.State == model.Unknown {
				s.State, s.Since = model.Amended, t.Version
			}
		}
	}
	if relied != nil && recent(ix.signed(relied.From), today) {
		reason(ReasonReliedOn, relied.From, relied.EID, ix.signed(relied.From), "")
		if s.State == model.Unknown {
			s.State, s.Since = model.InForce, published
		}
	}
	return s
}

// entryAt is the article in which a work says when it enters into force.
func (ix *index) entryAt(work string) string {
	for _, t := range ix.byWork[work] {
		if t.Entry != nil && t.Entry.Day != "" {
			return t.Entry.EID
		}
	}
	return ""
}

// maxReasons bounds what a page lists; the amendments themselves are all on the
// timeline.
const maxReasons = 60

// recent tells whether a day lies within the last reliedYears.
func recent(day, today model.Date) bool {
	if len(day) < 4 || len(today) < 4 || day > today {
		return false
	}
	return yearOf(today, "")-yearOf(day, "") <= reliedYears
}
