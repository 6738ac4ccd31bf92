package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var choosing = regexp.MustCompile(`name="request" value="([A-Z0-9]+)"`)

// Somebody signs in through the provider as a browser does it, uses their space,
// signs out here and there, and the provider's notice ends their other session.
func TestSignInOfTheDemonstration(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole demonstration is not started in a short run")
	}
	r := startDemo(t)
	if len(r.demo.People) < 8 {
		t.Fatalf("%d people", len(r.demo.People))
	}
	browser := func() *http.Client {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		return &http.Client{Jar: jar}
	}
	page := func(c *http.Client, res *http.Response, err error) (string, string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.Request.URL.String(), string(b)
	}
	get := func(c *http.Client, address string) (string, string) {
		t.Helper()
		res, err := c.Get(address)
		return page(c, res, err)
	}
	signIn := func(c *http.Client, login string) {
		t.Helper()
		at, body := get(c, r.portal+"/fr/me/sign-in/with/demo?to=/me/sessions")
		m := choosing.FindStringSubmatch(body)
		u, err := url.Parse(at)
		if err != nil || m == nil || u.Host == strings.TrimPrefix(r.portal, "http://") {
			t.Fatalf("the provider's page is %s:\n%.400s", at, body)
		}
		res, err := c.PostForm("http://"+u.Host+"/choose", url.Values{"request": {m[1]}, "login": {login}})
		if at, body := page(c, res, err); at != r.portal+"/fr/me/sessions" || !strings.Contains(body, "Salma") {
			t.Fatalf("after signing in: %s\n%.400s", at, body)
		}
	}
	here, phone := browser(), browser()
	signIn(here, "salma.demo")
	signIn(phone, "salma.demo")
	if _, body := get(here, r.portal+"/fr/me/representation"); !strings.Contains(body, "Rim EL MITAL") || !strings.Contains(body, "Fatima ENNAMOUDAJ") {
		t.Error("whom Salma represents is not shown")
	}
	res, err := here.PostForm(r.portal+"/fr/me/sign-out", nil)
	_, body := page(here, res, err)
	link := regexp.MustCompile(`href="(/sign-in/demo/end\?t=[a-z0-9]+)"`).FindStringSubmatch(body)
	if link == nil {
		t.Fatalf("signing out there is not offered:\n%s", body)
	}
	if at, _ := get(here, r.portal+link[1]); at != r.portal+"/fr/" {
		t.Errorf("after signing out there: %s", at)
	}
	for range 100 {
		if at, _ := get(phone, r.portal+"/fr/me/sessions"); strings.Contains(at, "/sign-in") {
			return
		}
	}
	t.Error("the other session goes on after the provider's notice")
}
