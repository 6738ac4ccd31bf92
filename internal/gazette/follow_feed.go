package gazette

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"time"

	"diwan/internal/gazette/extract"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// feedSize is how many events a feed holds.
const feedSize = 100

// atomFeed is a feed as RFC 4287 has it.
type atomFeed struct {
	XMLName  xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Lang     string      `xml:"xml:lang,attr"`
	ID       string      `xml:"id"`
	Title    string      `xml:"title"`
	Subtitle string      `xml:"subtitle,omitempty"`
	Updated  string      `xml:"updated"`
	Author   atomAuthor  `xml:"author"`
	Links    []atomLink  `xml:"link"`
	Entries  []atomEntry `xml:"entry"`
}

type atomAuthor struct {
	Name string `xml:"name"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID       string       `xml:"id"`
	Title    string       `xml:"title"`
	Updated  string       `xml:"updated"`
	Link     atomLink     `xml:"link"`
	Category atomCategory `xml:"category"`
	Summary  string       `xml:"summary"`
}

type atomCategory struct {
	Term string `xml:"term,attr"`
}

// followed reads what a request asks to follow: the one parameter of FollowKinds
// that it carries.
func followed(v url.Values) (kind, target string, err error) {
	for _, k := range FollowKinds {
		if t := v.Get(k); t != "" {
			if kind != "" {
				return "", "", problem.New(problem.Invalid, "law.follow.target")
			}
			kind, target = k, oneLine(extract.Clean(t))
		}
	}
	if kind == "" {
		return "", "", problem.New(problem.Invalid, "law.follow.target")
	}
	return kind, target, nil
}

// feed answers with what happened to what somebody follows, for feed readers. It
// needs no account and leaves no trace.
func (f *Following) feed(w http.ResponseWriter, r *http.Request) {
	kind, target, err := followed(r.URL.Query())
	if err == nil {
		err = f.writeFeed(w, r, kind, target)
	}
	if err != nil {
		f.Site.Fail(w, r, err)
	}
}

func (f *Following) writeFeed(w http.ResponseWriter, r *http.Request, kind, target string) error {
	ctx, lang := r.Context(), web.LangOf(r)
	events, err := f.Gazette.Matching(ctx, kind, target, feedSize)
	if err != nil {
		return err
	}
	what, err := f.describe(ctx, kind, target, lang)
	if err != nil {
		return err
	}
	told, err := f.tell(ctx, lang, events)
	if err != nil {
		return err
	}
	query := "?" + url.Values{kind: {target}}.Encode()
	self := f.link(lang, "/law/feed.atom"+query)
	feed := atomFeed{Lang: string(lang), ID: self, Title: what, Author: atomAuthor{f.Gazette.portalName()}, Updated: time.Unix(0, 0).UTC().Format(time.RFC3339),
		Links: []atomLink{{"self", "application/atom+xml", self}, {"alternate", "text/html", f.link(lang, "/law/follow"+query)}}}
	for i, e := range told {
		at := e.At.UTC().Format(time.RFC3339)
		if i == 0 {
			feed.Updated = at
		}
		feed.Entries = append(feed.Entries, atomEntry{ID: f.Site.BaseURL + e.Work + "#event-" + itoa(int(e.N)), Title: e.Title, Updated: at,
			Link: atomLink{"alternate", "text/html", e.URL}, Category: atomCategory{e.Type}, Summary: e.Line})
	}
	body, err := xml.MarshalIndent(feed, "", " ")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Language", string(lang))
	web.NewRendered("application/atom+xml; charset=utf-8", append([]byte(xml.Header), body...)).ServeHTTP(w, r)
	return nil
}
