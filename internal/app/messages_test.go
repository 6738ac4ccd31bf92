package app

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"diwan/country"
)

func TestMessagesAreComplete(t *testing.T) {
	pack, err := country.Load(country.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	words, err := Words(pack)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range words.Check() {
		t.Error(f)
	}
}

// built are the beginnings of keys that code or templates put together at run
// time; each is checked where its values are listed.
var built = []string{"problem.", "credential.stand.", "credential.event.", "credential.claim.", "credential.colour.", "ask.", "clock.", "casework.", "state.", "audit.", "identity.role.", "demo.account.", "form.", "remedy.", "day.", "search.",
	"nav.", "procedure.receives", "procedure.studies", "procedure.delivers", "procedure.competent", "silence.", "history.",
	"law.import.code.", "law.op.reason.", "law.piece.", "exchange.class.", "exchange.state.", "exchange.sign.", "exchange.key.", "exchange.question.", "build.kind.", "build.state.", "office.opinion.result.", "pay.state.", "verify.question.unit.", "book.", "cases.scope.", "cases.stars.", "document.appeal_", "document.granted_", "document.refused_"}

var quoted = regexp.MustCompile(`"([a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)*)"`)

func TestNoMessageIsUnused(t *testing.T) {
	pack, err := country.Load(country.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	words, err := Words(pack)
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, dir := range []string{"..", "../../cmd"} {
		err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			if !strings.HasSuffix(p, ".go") && !strings.HasSuffix(p, ".html") {
				return nil
			}
			b, err := os.ReadFile(p)
			for _, m := range quoted.FindAllStringSubmatch(string(b), -1) {
				used[m[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range words.Keys() {
		if used[k] {
			continue
		}
		ok := false
		for _, p := range built {
			ok = ok || strings.HasPrefix(k, p)
		}
		// The pages that are only words build their keys from their names.
		for _, p := range []string{"accessibility.", "privacy.", "help.", "open-data."} {
			ok = ok || strings.HasPrefix(k, p)
		}
		if !ok {
			t.Errorf("message %q is used nowhere", k)
		}
	}
}
