package catalogue

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
)

// checker says what is wrong with a procedure that comes from outside, beyond
// what forbids its publication: a draft may be incomplete, but it may not point
// at what does not exist, nor bring what would break a page.
type checker struct {
	rules     model.Rules
	themes    map[string]bool
	languages []gov.Lang
}

func newChecker(c *Catalogue) checker {
	k := checker{rules: c.Rules(), themes: map[string]bool{}, languages: c.country.Order()}
	for _, t := range c.Snapshot().Themes {
		k.themes[t.ID] = true
	}
	return k
}

// also lets procedures point at administrations and themes that come with them.
func (k *checker) also(administrations, themes map[string]bool) {
	known := k.rules.Administration
	k.rules.Administration = func(id string) bool { return administrations[id] || known(id) }
	k.themes = maps.Clone(k.themes)
	maps.Copy(k.themes, themes)
}

// The bounds of one procedure.
const (
	maxText  = 20_000 // characters of one text
	maxItems = 500    // of one list
	maxDays  = 3660
)

func (k *checker) procedure(f *file, in incoming, p *model.Procedure) {
	if p.Competent == "" {
		f.fault(in.where("competent"), "import.missing", "name", "competent")
	}
	for _, x := range p.Blocking(k.rules) {
		if strings.HasSuffix(x.Code, ".unknown") {
			f.fault(in.where(x.Path), x.Code, "id", clip(x.Args["id"]))
		}
	}
	for i, t := range p.Themes {
		if !k.themes[t] {
			f.fault(in.where("themes."+strconv.Itoa(i)), "theme.unknown", "id", clip(t))
		}
	}
	for i, x := range p.Audience {
		if _, ok := k.rules.Country.Audience[x]; !ok {
			f.fault(in.where("audience."+strconv.Itoa(i)), "import.value", "value", clip(x), "name", "audience")
		}
	}
	k.choices(f, in, p)
	k.walk(f, in, reflect.ValueOf(p).Elem(), "")
}

// choices checks the fields that are one of a few words, and the numbers.
func (k *checker) choices(f *file, in incoming, p *model.Procedure) {
	one := func(path, v string, words ...string) {
		if v != "" && !slices.Contains(words, v) {
			f.fault(in.where(path), "api.choice", "value", clip(v), "known", strings.Join(words, ", "))
		}
	}
	within := func(path string, n, most int) {
		if n < 0 || n > most {
			f.fault(in.where(path), "import.range", "value", strconv.Itoa(n), "limit", strconv.Itoa(most))
		}
	}
	one("silence.effect", p.Silence.Effect, model.SilenceApproval, model.SilenceAppeal)
	one("extension.possible", p.Extension.Possible, model.ExtensionYes, model.ExtensionNo)
	within("popular", p.Popular, 100_000)
	for i, e := range p.Evidence {
		path := "evidence." + strconv.Itoa(i)
		one(path+".by", e.By, model.ByUser, model.ByAdministration)
		within(path+".copies", e.Copies, 99)
	}
	for i, t := range p.Deadline.Terms {
		within("deadline.terms."+strconv.Itoa(i)+".days", t.Days, maxDays)
	}
	for i, r := range p.Remedies {
		path := "remedies." + strconv.Itoa(i)
		one(path+".kind", r.Kind, "administrative", "court")
		within(path+".within", r.Within, maxDays)
		within(path+".answer", r.Answer, maxDays)
	}
	for i, x := range p.Fees {
		for _, c := range []*gov.Centimes{x.Amount, x.Min, x.Max} {
			if c != nil && *c < 0 {
				f.fault(in.where("fees."+strconv.Itoa(i)), "import.value", "value", strconv.FormatInt(int64(*c), 10), "name", "fees")
			}
		}
	}
	for i, s := range p.Sources {
		if s.URL != "" && !strings.HasPrefix(s.URL, "https://") && !strings.HasPrefix(s.URL, "http://") {
			f.fault(in.where("sources."+strconv.Itoa(i)+".url"), "import.value", "value", clip(s.URL), "name", "url")
		}
	}
}

// walk checks every text and list of a procedure.
func (k *checker) walk(f *file, in incoming, v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.String:
		k.text(f, in, path, v.String())
	case reflect.Map:
		for _, key := range v.MapKeys() {
			l := gov.Lang(key.String())
			if !slices.Contains(k.languages, l) {
				f.fault(in.where(path+"."+string(l)), "api.lang", "value", clip(string(l)), "known", joinLangs(k.languages))
				continue
			}
			k.walk(f, in, v.MapIndex(key), path+"."+string(l))
		}
	case reflect.Slice:
		if v.Len() > maxItems {
			f.fault(in.where(path), "import.large", "limit", strconv.Itoa(maxItems))
			return
		}
		for i := range v.Len() {
			k.walk(f, in, v.Index(i), path+"."+strconv.Itoa(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if name != "" {
				k.walk(f, in, v.Field(i), strings.TrimPrefix(path+"."+name, "."))
			}
		}
	}
}

func joinLangs(ls []gov.Lang) string {
	var out []string
	for _, l := range ls {
		out = append(out, string(l))
	}
	return strings.Join(out, ", ")
}

// text refuses what would not be read as it looks: control characters, and marks
// that turn the direction of the words around them.
func (k *checker) text(f *file, in incoming, path, s string) {
	if len(s) > maxText && len([]rune(s)) > maxText {
		f.fault(in.where(path), "import.large", "limit", strconv.Itoa(maxText))
		return
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' ||
			r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == unicode.ReplacementChar {
			f.fault(in.where(path), "import.control", "value", "U+"+strings.ToUpper(strconv.FormatInt(int64(r), 16)))
			return
		}
	}
}
