package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// loads matches what makes a browser fetch: another host there would learn who
// reads what, and could change the page.
var loads = regexp.MustCompile(`(?i)<(?:link|script|img|iframe|source|video|audio|object|embed)\b[^>]*\b(?:src|href|data)="(?:https?:)?//[^"]*"|@import|url\(\s*["']?(?:https?:)?//`)

// inline matches what the content security policy refuses.
var inline = regexp.MustCompile(`(?i)\sstyle="|\son[a-z]+="|<style\b|<script>|javascript:`)

func TestTemplatesAskNobodyElse(t *testing.T) {
	walk(t, []string{".html", ".css"}, func(file, text string) {
		if m := loads.FindString(text); m != "" {
			t.Errorf("%s asks another host: %s", file, m)
		}
	})
}

func TestTemplatesHaveNothingInline(t *testing.T) {
	walk(t, []string{".html"}, func(file, text string) {
		if m := inline.FindString(text); m != "" {
			t.Errorf("%s has something inline, which the security policy refuses: %s", file, m)
		}
	})
}

// A box that is chosen is laid out by the class check; choice alone only draws its border,
// and lets boxes and words fall over each other.
func TestChoicesAreLaidOut(t *testing.T) {
	walk(t, []string{".html"}, func(file, text string) {
		if strings.Contains(text, `class="choice`) {
			t.Errorf("%s has a choice that is no check", file)
		}
	})
}

// physical matches properties that know left from right.
var physical = regexp.MustCompile(`(?m)(?:^|[\s;{])((?:margin|padding|border)-(?:left|right|top|bottom)(?:-[a-z]+)?|left|right|text-align:\s*(?:left|right)|float|border-(?:top|bottom)-(?:left|right)-radius|width|height|(?:min|max)-(?:width|height))\s*:`)

var mediaQuery = regexp.MustCompile(`@media[^{]*\{`)

func TestLogicalPropertiesOnly(t *testing.T) {
	walk(t, []string{".css"}, func(file, text string) {
		text = mediaQuery.ReplaceAllString(text, "{") // a query's own words are not properties
		for _, m := range physical.FindAllStringSubmatch(text, -1) {
			t.Errorf("%s: %q knows left from right or up from down; use the logical property", file, strings.TrimSpace(m[1]))
		}
	})
}

// named matches paths in documents: `internal/db`, `country/ma/law.json`.
var named = regexp.MustCompile("`((?:cmd|internal|country|lexis|protocol|docs|bench|examples|\\.ci)/[A-Za-z0-9_./-]*|[a-z]+\\.sh)`")

func TestDocumentsNameWhatExists(t *testing.T) {
	top := root(t)
	walk(t, []string{".md"}, func(file, text string) {
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(top, strings.TrimSuffix(m[1], "/"))); err != nil {
				t.Errorf("%s names %s, which does not exist", file, m[1])
			}
		}
	})
}

// The project speaks of itself alone: no path of one machine, no address of a
// package host.
var elsewhere = regexp.MustCompile(`(?:^|[\s"'(=])/(?:work|home/[a-z]+|root|Users)/|"resolved":|registry\.npmjs|proxy\.golang`)

func TestNothingOfOneMachine(t *testing.T) {
	walk(t, []string{".go", ".md", ".sh", ".json", ".mjs", ".js", ".html", ".toml", ".yml", "go.mod"}, func(file, text string) {
		if file == "internal/archtest/pages_test.go" {
			return
		}
		if m := elsewhere.FindString(text); m != "" {
			t.Errorf("%s names something of one machine: %q", file, m)
		}
	})
}
