package provider

import (
	"context"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"diwan/examples/signin/people"
)

// desk is the page on which somebody is chosen.
type desk struct {
	*storage
	page     *template.Template
	list     []people.Person
	callback func(context.Context, string) string
}

// onePage is how many people one page lists.
const onePage = 24

type choice struct {
	Lang, Dir, Other string
	Request          string
	Query            string
	People           []shown
	From, Total      int
	Previous, Next   int // -1 is none
}

type shown struct{ Login, Name, About string }

// lang is the language of the page: what the reader chose, or what the site asked
// for.
func lang(r *http.Request, q *request) string {
	if l := r.URL.Query().Get("lang"); l == "ar" || l == "fr" {
		return l
	}
	if q != nil {
		for _, t := range q.UILocales {
			if b, _ := t.Base(); b.String() == "fr" || b.String() == "en" {
				return "fr"
			}
		}
	}
	return "ar"
}

func (d *desk) choose(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("request")
	q := d.request(id)
	if q == nil {
		http.Error(w, "this sign-in has expired; go back to the site and begin again", http.StatusBadRequest)
		return
	}
	d.show(w, r, id, q)
}

// home is what somebody sees who came here by themselves.
func (d *desk) home(w http.ResponseWriter, r *http.Request) { d.show(w, r, "", nil) }

func (d *desk) show(w http.ResponseWriter, r *http.Request, id string, q *request) {
	c := choice{Lang: lang(r, q), Dir: "rtl", Other: "fr", Request: id, Query: cut(r.URL.Query().Get("q"), 60), Previous: -1, Next: -1}
	if c.Lang == "fr" {
		c.Dir, c.Other = "ltr", "ar"
	}
	from, err := strconv.Atoi(r.URL.Query().Get("from"))
	if err != nil || from < 0 {
		from = 0
	}
	for i := range d.list {
		p := &d.list[i]
		if c.Query != "" && !strings.Contains(p.Login+" "+p.Name["ar"]+" "+strings.ToLower(p.Name["fr"]), strings.ToLower(c.Query)) {
			continue
		}
		if c.Total >= from && len(c.People) < onePage {
			c.People = append(c.People, shown{p.Login, p.Name[c.Lang], p.About[c.Lang]})
		}
		c.Total++
	}
	c.From = from
	if from > 0 {
		c.Previous = max(0, from-onePage)
	}
	if from+onePage < c.Total {
		c.Next = from + onePage
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	d.page.Execute(w, c)
}

func cut(s string, n int) string {
	if r := []rune(strings.TrimSpace(strings.ToValidUTF8(s, ""))); len(r) > n {
		return string(r[:n])
	} else {
		return string(r)
	}
}

// chosen signs somebody in and sends them back by way of the protocol.
func (d *desk) chosen(w http.ResponseWriter, r *http.Request) {
	id := r.PostFormValue("request")
	if !d.signIn(id, r.PostFormValue("login")) {
		http.Error(w, "this sign-in has expired; go back to the site and begin again", http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, d.options.Issuer+"/authorize/callback?id="+id, http.StatusSeeOther)
}
