package credential

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image/jpeg"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"diwan/internal/db/dbtest"
	"diwan/internal/problem"
	"diwan/protocol/jws"
	"diwan/protocol/mdoc"
	"diwan/protocol/sdjwt"
)

// mdl holds the elements of a driving licence against ISO/IEC 18013-5 §7.2.1: those that
// are mandatory are there, each of the type that the table gives it, and nothing stands in
// the standard's name space that the standard does not know.
func mdl(t testing.TB, got map[string]any) {
	t.Helper()
	wanted := map[string]any{"family_name": "", "given_name": "", "birth_date": mdoc.Date(""), "issue_date": mdoc.Date(""), "expiry_date": mdoc.Date(""), "issuing_country": "",
		"issuing_authority": "", "document_number": "", "portrait": []byte(nil), "driving_privileges": []any(nil), "un_distinguishing_sign": ""}
	optional := map[string]any{"family_name_national_character": "", "given_name_national_character": "", "age_over_18": true}
	for name, like := range wanted {
		if reflect.TypeOf(got[name]) != reflect.TypeOf(like) || reflect.ValueOf(got[name]).IsZero() {
			t.Errorf("%s is %T, want %T", name, got[name], like)
		}
	}
	for name, v := range got {
		like, ok := optional[name]
		if _, must := wanted[name]; !must && (!ok || reflect.TypeOf(v) != reflect.TypeOf(like)) {
			t.Errorf("the standard does not know %s, or not as %T", name, v)
		}
	}
	if got["un_distinguishing_sign"] != "MA" {
		t.Error("the sign is", got["un_distinguishing_sign"])
	}
	want := []any{map[string]any{"vehicle_category_code": "A1", "issue_date": mdoc.Date("2014-05-02")},
		map[string]any{"vehicle_category_code": "B", "issue_date": mdoc.Date("2016-04-01"), "expiry_date": mdoc.Date("2036-03-31")}}
	if !reflect.DeepEqual(got["driving_privileges"], want) {
		t.Errorf("the privileges are %v", got["driving_privileges"])
	}
	face, _ := got["portrait"].([]byte)
	if _, err := jpeg.DecodeConfig(bytes.NewReader(face)); err != nil {
		t.Error("the portrait:", err)
	}
}

// The same licence as an SD-JWT VC: the list as JSON, the picture as a data URL, and the
// short form of the categories, which the standard's name space has no place for.
func TestStructuredSDJWT(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, storeSets))
	o, err := w.Offer(t.Context(), salma, w.document1("case-1", "driving-licence", salma).ID)
	if err != nil {
		t.Fatal(err)
	}
	h := w.holder()
	if status, m := h.redeem(o); status != 200 {
		t.Fatal(status, m)
	}
	tok, err := sdjwt.Parse(h.fetch("driving-licence.sd-jwt", newKey(t))[0], jws.Want{})
	if err != nil {
		t.Fatal(err)
	}
	c := tok.Unverified()
	b, err := json.Marshal(c["driving_privileges"])
	if err != nil || string(b) != `[{"issue_date":"2014-05-02","vehicle_category_code":"A1"},{"expiry_date":"2036-03-31","issue_date":"2016-04-01","vehicle_category_code":"B"}]` {
		t.Errorf("the privileges are %s %v", b, err)
	}
	if s, _ := c["portrait"].(string); !strings.HasPrefix(s, "data:image/jpeg;base64,") || c["categories"] != "B" {
		t.Errorf("the portrait is %.40s, the categories are %v", s, c["categories"])
	}
}

// A list is signed only as its type describes it.
func TestCleanList(t *testing.T) {
	k := &Claim{Name: "rights", Kind: List, Members: []Member{{Name: "code", Kind: Words, Mandatory: true}, {Name: "since", Kind: Day}, {Name: "most", Kind: Number}}}
	entry := func(m map[string]any) []any { return []any{m} }
	for name, c := range map[string]struct {
		value any
		want  string // JSON; empty: refused
	}{
		"whole":               {entry(map[string]any{"code": " B ", "since": "2020-01-02", "most": json.Number("3")}), `[{"code":"B","most":3,"since":"2020-01-02"}]`},
		"without the others":  {entry(map[string]any{"code": "B", "since": "", "most": nil}), `[{"code":"B"}]`},
		"no list":             {map[string]any{"code": "B"}, ""},
		"empty":               {[]any{}, ""},
		"of texts":            {[]any{"B"}, ""},
		"without the code":    {entry(map[string]any{"since": "2020-01-02"}), ""},
		"a blank code":        {entry(map[string]any{"code": "  "}), ""},
		"no day":              {entry(map[string]any{"code": "B", "since": "2020-13-02"}), ""},
		"more than described": {entry(map[string]any{"code": "B", "secret": "x"}), ""},
		"nested":              {entry(map[string]any{"code": []any{"B"}}), ""},
		"turned":              {entry(map[string]any{"code": "B\u202e"}), ""},
		"endless":             {make([]any, maxEntries+1), ""},
	} {
		got, ok := k.clean(c.value)
		b, err := json.Marshal(got)
		if err != nil || ok != (c.want != "") || ok && string(b) != c.want {
			t.Errorf("%s: %s %v %v", name, b, ok, err)
		}
	}
}

// What a type says of a list is checked as its claims are.
func TestListChecked(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, storeSets))
	for name, c := range map[string]struct {
		change func(*Claim)
		code   string
	}{
		"as it is":        {func(*Claim) {}, ""},
		"no members":      {func(k *Claim) { k.Members = nil }, "members"},
		"too many":        {func(k *Claim) { k.Members = make([]Member, maxMembers+1) }, "members"},
		"twice":           {func(k *Claim) { k.Members[1].Name = k.Members[0].Name }, "twice"},
		"a bad name":      {func(k *Claim) { k.Members[0].Name = "A b" }, "name"},
		"a list in it":    {func(k *Claim) { k.Members[0].Kind = List }, "kind"},
		"a picture in it": {func(k *Claim) { k.Members[0].Kind = Image }, "kind"},
		"unlabelled":      {func(k *Claim) { k.Members[0].Label = nil }, "label"},
		"a number":        {func(k *Claim) { k.Members[0].Name = w.Country.Schemes[0].ID }, "national"},
		"not a list":      {func(k *Claim) { k.Kind = Words }, "kind"},
		"another format":  {func(k *Claim) { k.Formats = []string{"jwt"} }, "formats"},
	} {
		kind, err := w.Type(t.Context(), "driving-licence")
		if err != nil {
			t.Fatal(err)
		}
		for i := range kind.Claims {
			if kind.Claims[i].Kind == List {
				c.change(&kind.Claims[i])
			}
		}
		if err := kind.Check(w.Country); (err == nil) != (c.code == "") || err != nil && problem.From(err).Code != "credential.type.claim."+c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Each member has its words where wallets and verifiers look for them.
func TestMembersDescribed(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, storeSets))
	_, m, _ := w.call("GET", "/.well-known/openid-credential-issuer", nil, "", nil)
	b, err := json.Marshal(m["credential_configurations_supported"])
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{`["org.iso.18013.5.1","driving_privileges",null,"vehicle_category_code"]`, `["driving_privileges",null,"vehicle_category_code"]`, `["categories"]`} {
		if !strings.Contains(string(b), path) {
			t.Error("wallets are not told of", path)
		}
	}
	if strings.Contains(string(b), `["org.iso.18013.5.1","categories"]`) {
		t.Error("a name of ours stands in the standard's name space")
	}
}

// A picture is its holder's: nobody else is told that it exists.
func TestPicture(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, storeSets))
	d := w.document1("case-1", "driving-licence", salma)
	if b, err := w.pictureOf(t.Context(), salma, MayHold, d.ID, "portrait"); err != nil || base64.StdEncoding.EncodeToString(b) != face() {
		t.Error(len(b), err)
	}
	for _, claim := range []string{"family_name", "driving_privileges", "unknown"} {
		if _, err := w.pictureOf(t.Context(), salma, MayHold, d.ID, claim); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s: %v", claim, err)
		}
	}
	if _, err := w.pictureOf(t.Context(), karim, MayHold, d.ID, "portrait"); !problem.Is(err, problem.NotFound) {
		t.Error("somebody else:", err)
	}
	rec := httptest.NewRecorder()
	sendPicture(rec, []byte{0xff, 0xd8})
	if h := rec.Header(); h.Get("Content-Type") != "image/jpeg" || h.Get("Cache-Control") != "private, no-store" || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v", h)
	}
}
