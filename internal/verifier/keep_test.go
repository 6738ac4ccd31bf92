package verifier

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/protocol/claimpath"
	"diwan/protocol/jws"
	"diwan/protocol/openid4/dcql"
	"diwan/protocol/openid4/jwe"
	"diwan/protocol/openid4/vp"
	"diwan/protocol/sdjwt"

	"diwan/protocol/mdoc"
)

// adult proves an age for a request.
func (w *world) adult(q *vp.Request) url.Values {
	w.Helper()
	print, err := jwe.Thumbprint(q.EncryptionKey())
	if err != nil {
		w.Fatal(err)
	}
	in, err := mdoc.Parse(w.licenceText)
	if err != nil {
		w.Fatal(err)
	}
	transcript, err := mdoc.Transcript(q.ClientID, q.Nonce, print, q.ResponseURI)
	if err != nil {
		w.Fatal(err)
	}
	shown, err := in.Present([]mdoc.Name{{NameSpace: licenceNS, Identifier: "age_over_18"}}, w.holder, transcript)
	if err != nil {
		w.Fatal(err)
	}
	return w.sealed(q, vp.Tokens{"age": {base64.RawURLEncoding.EncodeToString(shown)}})
}

// TestKeep keeps what each purpose allows and nothing more.
func TestKeep(t *testing.T) {
	each(t, func(w *world) {
		property := w.property()
		kept := w.begun("property-sale")
		q := w.open(kept.Link)
		if rec := w.post(q, w.sealed(q, vp.Tokens{"property": {property(q)}})); rec.Code != 200 {
			w.Fatal(rec.Code)
		}
		told := w.begun("adult")
		q = w.open(told.Link)
		if rec := w.post(q, w.adult(q)); rec.Code != 200 {
			w.Fatal(rec.Code)
		}
		// What lies in the database tells neither what was shown nor the key.
		var result, key []byte
		if err := w.DB.Reader().QueryRow(`SELECT sealed_result, sealed_key FROM verifier_request WHERE id = $1`, kept.ID).Scan(&result, &key); err != nil {
			w.Fatal(err)
		}
		if bytes.Contains(result, []byte("12345")) || len(result) == 0 || len(key) > 0 {
			w.Errorf("%d bytes of a result, %d of a key", len(result), len(key))
		}
		for i := range 2 {
			if s, _ := w.status(kept.StatusURL); fmt.Sprint(s.Claims["property"]) != "map[charges:x family_name:x given_name:x property_name:x title:12345/06]" {
				w.Errorf("%d: kept %+v", i, s)
			}
			if s, _ := w.status(told.StatusURL); (i == 0) != (fmt.Sprint(s.Claims) == "map[age:map[age_over_18:true]]") || s.State != Accepted {
				w.Errorf("%d: told %+v", i, s)
			}
		}
		w.hand.add(11 * time.Minute)
		if _, code := w.status(told.StatusURL); code != 404 {
			w.Errorf("nothing is kept, yet: %d", code)
		}
		w.hand.add(50 * time.Minute)
		if _, code := w.status(kept.StatusURL); code != 404 {
			w.Errorf("after its time: %d", code)
		}
		if err := w.Sweep(w.Context()); err != nil {
			w.Fatal(err)
		}
	})
}

// property returns what shows the title of a certificate of property.
func (w *world) property() func(*vp.Request) string {
	text := w.permit(15, func(m map[string]any) {
		m["vct"] = propertyType
		for _, n := range []string{"family_name", "given_name", "title", "property_name", "charges"} {
			m[n] = "x"
		}
		m["title"] = "12345/06"
	})
	// The template asks five claims: here they are all open, but for the query only
	// what it names counts.
	return func(q *vp.Request) string {
		t, err := sdjwt.Parse(text, jws.Want{})
		if err == nil {
			t, err = t.Present(claimpath.Path{"holder"})
		}
		if err != nil {
			w.Fatal(err)
		}
		s, err := t.Bind(w.holder, sdjwt.Proof{Audience: q.ClientID, Nonce: q.Nonce, IssuedAt: w.hand.Now()})
		if err != nil {
			w.Fatal(err)
		}
		return s
	}
}

// TestAskers lists whom somebody may ask as.
func TestAskers(t *testing.T) {
	each(t, func(w *world) {
		if list, err := w.Askers(w.Context(), gov.Actor{}); err != nil || len(list) != len(parties(w.T).Verifiers) {
			w.Errorf("%d, %v", len(list), err)
		}
		w.Demo = false
		if list, err := w.Askers(w.Context(), w.actor()); err != nil || len(list) != 0 {
			w.Errorf("%d, %v", len(list), err)
		}
		p := parties(w.T)
		p.Verifiers = p.Verifiers[1:]
		if err := w.Enrol(w.Context(), p); err != nil {
			w.Fatal(err)
		}
		if _, err := w.Party(w.Context(), "bank-demo"); err == nil {
			w.Error("one that is gone can still ask")
		}
		if set, err := (db.Migrations{Slice: "verifier", Files: Migrations().Files}).Unsafe(); err != nil || len(set) > 0 {
			w.Errorf("%v, %v", set, err)
		}
	})
}

// FuzzAllows never lets a query through that names what is not registered.
func FuzzAllows(f *testing.F) {
	for _, v := range parties(f).Verifiers {
		for _, t := range v.Templates {
			f.Add([]byte(t.Query))
		}
	}
	f.Add([]byte(`{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":["urn:ma:gov:permis-construire:1"]},"claims":[{"path":["holder",null]}]}]}`))
	bank := parties(f).Verifiers[0]
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := dcql.Parse(b)
		if err != nil || bank.Allows(q) != nil {
			return
		}
		for _, c := range q.Credentials {
			for _, x := range c.Claims {
				if n := x.Path[0]; n != "holder" && n != "land_title" {
					t.Errorf("%s may be asked", x.Path)
				}
			}
			if got, _ := json.Marshal(c.Meta.VCT); strings.Contains(string(got), "bulletin") || len(c.Meta.VCT) == 0 {
				t.Errorf("%s may be asked", got)
			}
		}
	})
}
