package archtest

import (
	"go/parser"
	"go/token"
	"path"
	"strings"
	"testing"
)

// rule says what the packages below a path may import of this module and, when
// others is given, of other modules. The first rule that matches a package
// holds.
type rule struct {
	pkg string // path, or path/... for everything below it
	may []string
	// others bounds the other modules; nil allows all.
	others []string
}

var words = []string{"internal/gov", "internal/problem", "internal/i18n"}
var platform = []string{"internal/db", "internal/jobs", "internal/audit", "internal/keys", "internal/web"}

var table = []rule{
	{"internal/gov", nil, []string{"golang.org/x/text"}},
	{"internal/problem", nil, []string{"golang.org/x/text"}},
	{"internal/i18n", nil, []string{"golang.org/x/text"}},
	{"internal/beside", nil, []string{}},
	{"internal/retrieval/...", []string{"internal/beside", "lexis", "internal/retrieval/..."}, []string{"golang.org/x/text", "github.com/blevesearch/bleve/v2", "github.com/andybalholm/brotli"}},
	{"lexis/...", []string{"lexis/..."}, []string{"golang.org/x/text", "github.com/blevesearch/snowballstem"}},
	{"internal/db/...", append(words, "internal/db"), nil},
	{"internal/keys/keystest", append(words, "internal/keys"), []string{}},
	{"internal/keys", words, nil},
	{"internal/jobs", append(words, "internal/db"), nil},
	{"internal/audit", append(words, "internal/db"), nil},
	{"internal/web", words, nil},
	{"country", words, nil},
	// The parts of a slice that others can use without the rest.
	{"internal/catalogue/model", words, nil},
	{"internal/catalogue/decrees", append(words, "lexis"), nil},
	{"internal/catalogue/search", append(words, "lexis"), nil},
	{"internal/catalogue/cpsv", append(words, "internal/catalogue/model"), nil},
	{"internal/catalogue/evaluation", append(words, "internal/catalogue/search"), nil},
	{"internal/catalogue", concat(words, platform, "lexis", "internal/catalogue/..."), nil},
	{"internal/identity/policy", words, []string{"github.com/cedar-policy/cedar-go"}},
	{"internal/identity", concat(words, platform, "lexis", "internal/identity/policy"), nil},
	{"protocol/edverify", []string{}, []string{"filippo.io/edwards25519", "filippo.io/edwards25519/field"}},
	{"protocol/httpsig", []string{}, []string{"github.com/dunglas/httpsfv"}},
	{"protocol/xroad/openapi", []string{}, []string{"go.yaml.in/yaml/v3"}},
	{"protocol/cosecode/sign1", []string{}, []string{"github.com/veraison/go-cose"}},
	{"protocol/cosecode", []string{"protocol/cosecode/sign1"}, []string{"github.com/fxamacker/cbor/v2"}},
	{"protocol/mdoc", []string{"protocol/cosecode/sign1"}, []string{"github.com/fxamacker/cbor/v2"}},
	{"protocol/claimpath", []string{"protocol/strict"}, []string{}},
	{"protocol/sdjwt", []string{"protocol/claimpath", "protocol/jws", "protocol/statuslist", "protocol/strict"}, []string{"github.com/go-jose/go-jose/v4"}},
	{"protocol/statuslist", []string{"protocol/jws", "protocol/strict"}, []string{"github.com/fxamacker/cbor/v2", "github.com/veraison/go-cose"}},
	{"protocol/oauth", []string{"protocol/jws", "protocol/strict"}, []string{"github.com/go-jose/go-jose/v4"}},
	{"protocol/openid4/...", []string{"protocol/jws", "protocol/strict", "protocol/oauth", "protocol/claimpath", "protocol/openid4/..."}, []string{"github.com/go-jose/go-jose/v4"}},
	{"protocol/strict", []string{}, []string{"github.com/go-json-experiment/json"}},
	{"protocol/jws", []string{"protocol/strict"}, []string{"github.com/go-jose/go-jose/v4"}},
	{"protocol/trustlist", []string{"protocol/jws", "protocol/strict"}, []string{}},
	{"protocol/...", []string{"protocol/..."}, []string{"golang.org/x/text"}},
	{"internal/outbound", []string{}, []string{}},
	{"internal/wallet/holder", []string{"internal/outbound", "protocol/..."}, []string{"filippo.io/age"}},
	{"internal/exchange/journal", []string{"protocol/link"}, []string{"golang.org/x/sys"}},
	{"internal/exchange/backend", []string{"protocol/xroad"}, []string{}},
	{"internal/exchange/contract", []string{"protocol/xroad"}, []string{"github.com/go-jose/go-jose/v4", "github.com/gowebpki/jcs"}},
	{"internal/exchange/snapshot", []string{"protocol/xroad"}, []string{"github.com/go-jose/go-jose/v4"}},
	{"internal/exchange/pki", []string{}, []string{}},
	{"internal/exchange/translog/...", append(words, "internal/db", "internal/exchange/translog/...", "protocol/cms"), nil},
	{"internal/exchange/gateway/...", concat(words, platform, "protocol/xroad/...", "protocol/httpsig", "protocol/link", "internal/exchange/..."), nil},
	{"internal/exchange", concat(words, platform, "protocol/xroad", "protocol/httpsig", "internal/exchange/contract", "internal/exchange/pki", "internal/exchange/snapshot", "internal/exchange/translog"), nil},
	{"internal/casework", concat(words, platform, "internal/casework/...", "internal/webhook"), nil},
	{"internal/credential/specimen", []string{}, []string{}},
	{"internal/credential", concat(words, platform, "internal/pdf/seal", "internal/qr", "protocol/..."), []string{"github.com/go-jose/go-jose/v4"}},
	{"internal/qr", nil, []string{"github.com/boombuler/barcode"}},
	{"internal/verifier/check", []string{"internal/outbound", "protocol/..."}, []string{"github.com/fxamacker/cbor/v2", "github.com/makiuchi-d/gozxing"}},
	{"internal/verifier/poppler", []string{}, []string{}},
	{"internal/verifier", concat(words, platform, "internal/verifier/check", "internal/qr", "protocol/..."), []string{}},
	{"internal/blob", words, []string{}},
	{"internal/mail", words, nil},
	{"internal/sms", []string{}, []string{}},
	{"internal/webhook", append(words, "internal/outbound"), nil},
	{"internal/gazette/model", nil, []string{}},
	{"internal/gazette/markup", []string{"internal/gazette/model", "protocol/akn"}, []string{}},
	{"internal/gazette/compare", []string{"internal/gazette/model"}, []string{}},
	{"internal/gazette/cite", []string{"internal/gazette/model", "internal/gazette/grammar", "lexis"}, []string{}},
	{"internal/gazette/amend", []string{"internal/gazette/model", "internal/gazette/grammar", "internal/gazette/cite"}, []string{}},
	{"internal/gazette/search", concat(words, nil, "internal/gazette/model", "internal/retrieval", "lexis"), nil},
	{"internal/gazette/grammar", []string{"internal/gazette/model", "lexis"}, []string{}},
	{"internal/gazette/structure", []string{"internal/gazette/model", "internal/gazette/grammar"}, []string{}},
	{"internal/gazette/extract/degrade", nil, []string{}},
	{"internal/gazette/extract", []string{"protocol/akn"}, []string{"golang.org/x/image", "golang.org/x/net", "golang.org/x/text"}},
	{"internal/pdf", nil, []string{"github.com/go-text/typesetting", "golang.org/x/image", "golang.org/x/text"}},
	{"internal/pdf/seal", []string{"protocol/cms"}, []string{"github.com/digitorus/timestamp"}},
	{"internal/gazette", concat(words, platform, "lexis", "protocol/akn", "internal/blob", "internal/pdf", "internal/retrieval", "internal/mail", "internal/webhook", "internal/gazette/..."), nil},
	{"internal/casework/clock", words, []string{}},
	{"internal/casework/form", words, []string{"cel.dev/cel-go", "github.com/santhosh-tekuri/jsonschema/v6", "github.com/nyaruka/phonenumbers", "github.com/gowebpki/jcs", "golang.org/x/text"}},
	{"internal/casework/upload", append(words, "internal/db", "internal/blob"), nil},
	{"internal/casework/document", append(words, "internal/pdf", "internal/web"), []string{"github.com/boombuler/barcode", "golang.org/x/text"}},
	{"internal/wallet", concat(words, []string{"internal/web"}, "protocol/oauth", "protocol/strict"), []string{}},
	{"internal/app/freeport", nil, []string{}},
	{"internal/app/seed", nil, []string{}},
	{"internal/app/...", []string{"internal/...", "country", "lexis/...", "protocol/...", "examples/..."}, nil},
	{"interop", nil, []string{}},
	{"bench/...", []string{"internal/...", "country", "lexis/...", "protocol/..."}, nil},
	{"examples/signin/provider", []string{"examples/signin/..."}, []string{"github.com/zitadel/oidc/v3", "github.com/go-jose/go-jose/v4", "golang.org/x/text"}},
	{"examples/...", []string{"examples/..."}, []string{}},
	{"cmd/...", concat(words, nil, "internal/app", "internal/db"), []string{}},
	{"internal/archtest", nil, []string{}},
}

func concat(a, b []string, more ...string) []string {
	return append(append(append([]string{}, a...), b...), more...)
}

func matches(pattern, pkg string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == base || strings.HasPrefix(pkg, base+"/")
	}
	return pkg == pattern
}

func allowed(list []string, pkg string) bool {
	for _, p := range list {
		if matches(p, pkg) {
			return true
		}
	}
	return false
}

// forbidden modules: those that need cgo, that were refused, or that would do
// what the house does itself.
var forbidden = []string{
	"github.com/mattn/go-sqlite3", "github.com/google/cel-go", "github.com/stretchr/testify", "github.com/gin-gonic/gin",
	"github.com/labstack/echo", "gorm.io/gorm", "C",
}

// onlyTests are packages that production code must not import.
var onlyTests = []string{"internal/db/dbtest", "internal/keys/keystest", "internal/archtest"}

func TestImportTable(t *testing.T) {
	walk(t, []string{".go"}, func(file, text string) {
		f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ImportsOnly)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			return
		}
		test := strings.HasSuffix(file, "_test.go")
		pkg := path.Dir(file)
		var r *rule
		for i := range table {
			if matches(table[i].pkg, pkg) {
				r = &table[i]
				break
			}
		}
		if r == nil {
			t.Errorf("%s: the import table has no rule for this package", pkg)
			return
		}
		for _, imp := range f.Imports {
			check(t, file, pkg, strings.Trim(imp.Path.Value, `"`), r, test)
		}
	})
}

func check(t *testing.T, file, pkg, imported string, r *rule, test bool) {
	if allowed(forbidden, imported) {
		t.Errorf("%s imports %s, which this house does not use", file, imported)
	}
	own, ours := strings.CutPrefix(imported, "diwan/")
	switch {
	case ours && test:
		// Tests may reach sideways for what they need, never up to commands.
		if strings.HasPrefix(own, "cmd/") {
			t.Errorf("%s imports %s", file, imported)
		}
	case ours && allowed(onlyTests, own):
		t.Errorf("%s imports %s, which is for tests", file, imported)
	case ours && own != pkg && !allowed(r.may, own):
		t.Errorf("%s imports %s: the import table does not allow it", file, own)
	case !ours && !test && r.others != nil && strings.Contains(strings.Split(imported, "/")[0], "."):
		ok := false
		for _, o := range r.others {
			ok = ok || imported == o || strings.HasPrefix(imported, o+"/")
		}
		if !ok {
			t.Errorf("%s imports %s: this package may not use that module", file, imported)
		}
	}
}
