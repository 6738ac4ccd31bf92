package check

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"diwan/protocol/claimpath"
	"diwan/protocol/cosecode"
	"diwan/protocol/mdoc"
	"diwan/protocol/sdjwt"
	"diwan/protocol/statuslist"

	"diwan/protocol/jws"
)

// document is one form of a good document, changed in one thing.
type document struct {
	name  string
	index int
	// make returns the text of a document that is good from and until a time.
	make func(w *world, by signer, from, until time.Time, uri string, index int) string
	// tamper changes one thing that the document says.
	tamper func(w *world, text string) string
}

var documents = []document{
	{"sd-jwt", 7, func(w *world, by signer, from, until time.Time, uri string, index int) string {
		return w.permit(by, map[string]any{"nbf": from.Unix(), "exp": until.Unix(), "status": statuslist.Reference{Index: index, URI: uri}.Claim()})
	}, func(w *world, text string) string {
		parts := strings.Split(text, "~")
		for i, p := range parts[1:] {
			b, err := base64.RawURLEncoding.DecodeString(p)
			if err == nil && strings.Contains(string(b), "Salma") {
				parts[i+1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(b), "Salma", "Selma", 1)))
			}
		}
		return strings.Join(parts, "~")
	}},
	{"mdoc", 9, func(w *world, by signer, from, until time.Time, uri string, index int) string {
		return base64.RawURLEncoding.EncodeToString(w.licence(by, func(in *mdoc.Issuance) {
			in.ValidFrom, in.ValidUntil, in.Status = from, until, &mdoc.Status{Idx: uint64(index), URI: uri}
			if in.ValidFrom.Before(in.Signed) {
				in.Signed = in.ValidFrom
			}
		}))
	}, func(w *world, text string) string {
		b, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			w.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(b), "Benali", "Benani", 1)))
	}},
	{"code", 11, func(w *world, by signer, from, until time.Time, uri string, index int) string {
		return w.page(by, func(d *cosecode.Document) {
			d.NotBefore, d.Expires, d.Status = from, until, &cosecode.Status{Idx: uint64(index), URI: uri}
			if from.Before(d.IssuedAt) {
				d.IssuedAt = from
			}
		})
	}, nil},
}

// TestNegative goes through what can be wrong with a document in each of its forms.
func TestNegative(t *testing.T) {
	for _, d := range documents {
		good := func(w *world) string { return d.make(w, w.town, w.now, w.now.AddDate(0, 1, 0), listURI, d.index) }
		cases := map[string]struct {
			do      func(w *world) string
			state   State
			reasons []Reason
		}{
			"good": {good, Accepted, nil},
			"not yet": {func(w *world) string {
				return d.make(w, w.town, w.now.Add(time.Hour), w.now.AddDate(0, 1, 0), listURI, d.index)
			}, Refused, []Reason{NotYetValid}},
			"expired": {func(w *world) string {
				return d.make(w, w.town, w.now.Add(-time.Minute*50), w.now.Add(-time.Minute*10), listURI, d.index)
			}, Refused, []Reason{Expired}},
			"revoked":      {func(w *world) string { w.status(d.index, statuslist.Invalid); return good(w) }, Refused, []Reason{Revoked}},
			"suspended":    {func(w *world) string { w.status(d.index, statuslist.Suspended); return good(w) }, Refused, []Reason{Suspended}},
			"of a meaning": {func(w *world) string { w.status(d.index, statuslist.ApplicationSpecific); return good(w) }, Unknown, []Reason{StatusUnknown}},
			"expired and revoked": {func(w *world) string {
				w.status(d.index, statuslist.Invalid)
				return d.make(w, w.town, w.now.Add(-time.Minute*50), w.now.Add(-time.Minute*10), listURI, d.index)
			}, Refused, []Reason{Expired, Revoked}},
			"stranger": {func(w *world) string { return d.make(w, w.foreign, w.now, w.now.AddDate(0, 1, 0), listURI, d.index) }, Refused, []Reason{UntrustedIssuer}},
			"who may not": {func(w *world) string {
				return d.make(w, w.portal, w.now, w.now.AddDate(0, 1, 0), listURI, d.index)
			}, Refused, []Reason{UntrustedIssuer}},
			"no list":            {func(w *world) string { delete(w.net, listURI); return good(w) }, Unknown, []Reason{StatusUnknown}},
			"no trust":           {func(w *world) string { delete(w.net, trustURL); return good(w) }, Unknown, []Reason{StatusUnknown}},
			"index out of range": {func(w *world) string { return d.make(w, w.town, w.now, w.now.AddDate(0, 1, 0), listURI, 4000) }, Unknown, []Reason{StatusUnknown}},
			"list by a stranger": {func(w *world) string { w.publishStatus(w.foreign, nil); return good(w) }, Unknown, []Reason{StatusUnknown}},
			"list by an issuer":  {func(w *world) string { w.publishStatus(w.town, nil); return good(w) }, Unknown, []Reason{StatusUnknown}},
			"list of another": {func(w *world) string {
				w.publishStatus(w.portal, func(t *statuslist.Token) { t.URI = operator + "/status/2" })
				return good(w)
			}, Unknown, []Reason{StatusUnknown}},
			"list that has ended": {func(w *world) string {
				w.publishStatus(w.portal, func(t *statuslist.Token) { t.IssuedAt, t.Expires = w.now.Add(-2*time.Hour), w.now.Add(-time.Hour) })
				return good(w)
			}, Unknown, []Reason{StatusUnknown}},
			"endless list of old": {func(w *world) string {
				w.publishStatus(w.portal, func(t *statuslist.Token) { t.IssuedAt, t.Expires = w.now.Add(-50*time.Hour), time.Time{} })
				return good(w)
			}, Unknown, []Reason{StatusUnknown}},
			"list that is none": {func(w *world) string { w.net[listURI] = []byte("{}"); return good(w) }, Unknown, []Reason{StatusUnknown}},
			"bomb": {func(w *world) string {
				w.publishStatus(w.portal, func(t *statuslist.Token) { t.List = bomb(w) })
				return good(w)
			}, Unknown, []Reason{StatusUnknown}},
		}
		if d.tamper != nil {
			cases["changed"] = struct {
				do      func(w *world) string
				state   State
				reasons []Reason
			}{func(w *world) string { return d.tamper(w, good(w)) }, Refused, []Reason{BadSignature}}
		}
		for name, c := range cases {
			t.Run(d.name+" "+name, func(t *testing.T) {
				w := newWorld(t)
				text := c.do(w)
				r := w.kit.Document(t.Context(), text)
				w.found(r, c.state, c.reasons...)
				if shown := len(r.Claims) > 0; shown == (r.Has(UntrustedIssuer) || r.Has(BadSignature) || name == "no trust") {
					t.Errorf("claims shown: %v", r.Claims)
				}
				if r.Has(UntrustedIssuer) && slices.Contains(w.asked, listURI) {
					t.Error("a stranger's status list was asked for")
				}
				if r.Holder {
					t.Error("a file proves no holder")
				}
			})
		}
	}
}

// bomb packs a list that unpacks to far more than its bytes.
func bomb(w *world) statuslist.Packed {
	l, err := statuslist.New(1<<27, 2)
	if err == nil {
		var p statuslist.Packed
		if p, err = (&statuslist.Packer{}).Pack(l); err == nil {
			return p
		}
	}
	w.Fatal(err)
	return statuslist.Packed{}
}

// A driving licence of elsewhere says its categories as a list of maps, and carries a
// picture: each value is told by itself, with the words of the type, the picture as one.
func TestStructured(t *testing.T) {
	w := newWorld(t)
	if err := w.kit.Refresh(t.Context()); err != nil { // with the types of this world
		t.Fatal(err)
	}
	w.kit.SetTypes([]*sdjwt.TypeMetadata{{VCT: licence, Claims: []sdjwt.ClaimMetadata{
		{Path: claimpath.Path{"driving_privileges"}, Display: []sdjwt.ClaimDisplay{{Locale: "fr", Label: "Rights"}}},
		{Path: claimpath.Path{"driving_privileges", nil, "vehicle_category_code"}, Display: []sdjwt.ClaimDisplay{{Locale: "fr", Label: "Category"}}},
		{Path: claimpath.Path{"family_name"}, Display: []sdjwt.ClaimDisplay{{Locale: "fr", Label: "Name"}}}}}})
	face := append([]byte{0xff, 0xd8, 0xff, 0xe0}, make([]byte, 200)...)
	b := w.licence(w.town, func(in *mdoc.Issuance) {
		in.Elements = append(in.Elements[:1:1], mdoc.Element{NameSpace: "org.example", Identifier: "driving_privileges", Value: []any{
			map[string]any{"vehicle_category_code": "B", "issue_date": mdoc.Date("2016-03-01")}, map[string]any{"vehicle_category_code": "A1"}}},
			mdoc.Element{NameSpace: "org.example", Identifier: "portrait", Value: face})
	})
	r := w.kit.Document(t.Context(), base64.RawURLEncoding.EncodeToString(b))
	w.found(r, Accepted)
	var got []string
	for _, c := range r.Claims {
		text, pictured := c.Text()
		got = append(got, fmt.Sprintf("%s %s %s=%s %v", c.Of["fr"], c.Name(), c.Labels["fr"], text, pictured))
	}
	want := []string{"Rights vehicle_category_code Category=B false", "Rights issue_date =2016-03-01 false", "Rights vehicle_category_code Category=A1 false", " family_name Name=Benali false", " portrait = true"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestResult(t *testing.T) {
	w := newWorld(t)
	r := w.kit.Document(t.Context(), w.permit(w.town, map[string]any{"address": map[string]any{"street": "x"}, "kinds": []any{"a", "b"}}))
	w.found(r, Accepted)
	var got []string
	for _, c := range r.Claims {
		text, _ := c.Text()
		got = append(got, c.Path.String()+"="+text)
	}
	want := `["land"]=12345/06 ["holder"]=Salma ["address","street"]=x ["issued_on"]=2026-03-02 ["kinds",0]=a ["kinds",1]=b ["works"]=House`
	if strings.Join(got, " ") != want {
		t.Errorf("got %s\nwant %s", strings.Join(got, " "), want)
	}
	if r.Names["fr"] != "Permis" || r.Claims[0].Labels["en"] != "Land" || r.Issuer.Names["en"] != "The town" || !r.Issuer.Demonstration || r.Type != permitType {
		t.Errorf("%+v", r)
	}
	w.now = w.now.Add(30 * time.Second)
	r = w.kit.Document(t.Context(), w.page(w.town, nil))
	if r.TrustAge() != 30*time.Second || r.StatusAge() != 30*time.Second || r.Number != "P-17" {
		t.Errorf("%s %s %+v", r.TrustAge(), r.StatusAge(), r)
	}
	var b strings.Builder
	if err := r.Write(&b, "fr"); err != nil || !strings.Contains(b.String(), "document: Permis") || !strings.HasPrefix(b.String(), "ACCEPTED") {
		t.Errorf("%s, %v", b.String(), err)
	}
	if n := len(w.asked); n != 2 { // the list of issuers, one status list
		t.Errorf("asked %v", w.asked)
	}
}

func TestTexts(t *testing.T) {
	w := newWorld(t)
	code := w.page(w.town, nil)
	good := w.permit(w.town, nil)
	parsed, err := sdjwt.Parse(good, jws.Want{})
	if err != nil {
		t.Fatal(err)
	}
	bound, err := parsed.Bind(w.holder, sdjwt.Proof{Audience: "anybody", Nonce: "once", IssuedAt: w.now})
	if err != nil {
		t.Fatal(err)
	}
	device, err := mdoc.Parse(w.licence(w.town, nil))
	if err != nil {
		t.Fatal(err)
	}
	transcript, err := mdoc.Transcript("x", "y", nil, "https://v.example/")
	if err != nil {
		t.Fatal(err)
	}
	shown, err := device.Present([]mdoc.Name{{NameSpace: "org.example", Identifier: "family_name"}}, w.holder, transcript)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text   string
		state  State
		reason Reason
	}{
		"code":                {code + "\n", Accepted, ""},
		"link":                {Link("https://anywhere.example/v", code), Accepted, ""},
		"link without escape": {"https://anywhere.example/v#" + strings.NewReplacer("%", "%25").Replace(code), Accepted, ""},
		"bound to another":    {bound, Accepted, ""},
		"shown to another":    {base64.RawURLEncoding.EncodeToString(shown), Accepted, ""},
		"in standard base64":  {base64.StdEncoding.EncodeToString(shown), Accepted, ""},
		"small letters":       {strings.ToLower(code), Refused, Unreadable},
		"link of nothing":     {"https://anywhere.example/v", Refused, Unreadable},
		"link of other":       {"https://anywhere.example/v#x~y", Refused, Unreadable},
		"empty":               {"", Refused, Unreadable},
		"words":               {"not a document", Refused, Unreadable},
		"cut code":            {code[:len(code)-6], Refused, Unreadable},
		"another code":        {"DW1:BB8", Refused, Unreadable},
		"without algorithm":   {"eyJhbGciOiJub25lIiwidHlwIjoiZGMrc2Qtand0In0.e30.~", Refused, Unsupported},
		"twice disclosed":     {good + strings.Split(good, "~")[1] + "~", Refused, BadSignature},
		"cut in a disclosure": {good[:len(good)-20], Refused, Unreadable},
		"not UTF-8":           {"\xff~", Refused, Unreadable},
		"too long":            {strings.Repeat("a~", MaxText), Refused, Unreadable},
	} {
		r := w.kit.Document(t.Context(), c.text)
		if r.State != c.state || c.reason != "" && !r.Has(c.reason) {
			t.Errorf("%s: %s %v (%s)", name, r.State, r.Reasons, r.Trace)
		}
	}
	if r, err := w.kit.File(t.Context(), shown, nil); err != nil || r.State != Accepted {
		t.Errorf("bytes: %+v, %v", r, err)
	}
}

// TestKit takes a kit away from the network.
func TestKit(t *testing.T) {
	w := newWorld(t)
	if err := w.kit.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, err := w.kit.Export()
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return w.now }
	k, err := Import(b, Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{w.permit(w.town, nil), base64.RawURLEncoding.EncodeToString(w.licence(w.town, nil)), w.page(w.town, nil)}
	w.now = w.now.Add(50 * time.Minute)
	for _, s := range texts {
		r := k.Document(t.Context(), s)
		w.found(r, Accepted)
		if r.StatusAge() != 50*time.Minute {
			t.Errorf("the list is %s old", r.StatusAge())
		}
	}
	w.now = w.now.Add(11 * time.Minute)
	for _, s := range texts {
		w.found(k.Document(t.Context(), s), Unknown, StatusUnknown)
	}
	if k, err = Import(b, Options{Now: now}); err != nil {
		t.Fatal(err)
	}
	for _, s := range texts {
		w.found(k.Document(t.Context(), s), Unknown, StatusUnknown)
	}
	other := issue(t, "other", nil, w.now)
	for name, c := range map[string]struct {
		b []byte
		o Options
	}{
		"another anchor":   {b, Options{Now: now, Anchors: append(w.options().Anchors[:0:0], other.cert)}},
		"another operator": {b, Options{Now: now, Operator: "https://else.example"}},
		"changed":          {[]byte(strings.Replace(string(b), `"trust":"ey`, `"trust":"ez`, 1)), Options{Now: now}},
		"another format":   {[]byte(`{"format":"x"}`), Options{Now: now}},
		"nothing":          {nil, Options{Now: now}},
	} {
		if _, err := Import(c.b, c.o); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if f := k.Fingerprints(); len(f) != 1 || len(f[0]) != 79 {
		t.Errorf("fingerprints %q", f)
	}
}

// TestNetworkFails keeps to lists that have not ended, and never goes back to older ones.
func TestNetworkFails(t *testing.T) {
	w := newWorld(t)
	text := w.permit(w.town, nil)
	old := w.net[listURI]
	w.now = w.now.Add(time.Minute)
	w.status(7, statuslist.Invalid)
	w.found(w.kit.Document(t.Context(), text), Refused, Revoked)
	w.now = w.now.Add(2 * time.Minute)
	w.net[listURI] = old
	w.found(w.kit.Document(t.Context(), text), Refused, Revoked)
	w.now = w.now.Add(2 * time.Minute)
	clear(w.net)
	w.found(w.kit.Document(t.Context(), text), Refused, Revoked)
	w.now = w.now.Add(2 * time.Hour)
	w.found(w.kit.Document(t.Context(), text), Unknown, StatusUnknown)
}

func FuzzDocument(f *testing.F) {
	w := newWorld(f)
	for _, s := range []string{w.permit(w.town, nil), base64.RawURLEncoding.EncodeToString(w.licence(w.town, nil)), w.page(w.town, nil), Link("https://x/v", w.page(w.town, nil)), "~", "DW1:", "https://x#DW1:%"} {
		f.Add(s)
	}
	known := map[string]bool{}
	f.Fuzz(func(t *testing.T, s string) {
		r := w.kit.Document(t.Context(), s)
		if r.State == Accepted && !known[s] && len(r.Claims) == 0 && r.Form == "" {
			t.Errorf("%q was accepted", s)
		}
		if r.State != Accepted && len(r.Reasons) == 0 {
			t.Errorf("%q is %s without a reason", s, r.State)
		}
	})
}

// TestResultJSON keeps what a struct around a result adds.
func TestResultJSON(t *testing.T) {
	w := newWorld(t)
	_ = w.kit.Document(t.Context(), w.permit(w.town, nil))
	w.now = w.now.Add(20 * time.Second)
	r := w.kit.Document(t.Context(), w.permit(w.town, nil))
	b, err := json.Marshal(struct {
		Result
		More string `json:"more"`
	}{r, "x"})
	if err != nil || !strings.Contains(string(b), `"more":"x"`) || !strings.Contains(string(b), `"status_age":20`) || !strings.Contains(string(b), `"state":"accepted"`) {
		t.Errorf("%s, %v", b, err)
	}
}
