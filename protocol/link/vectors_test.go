package link

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"flag"
	"io"
	"os"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the vectors and the fuzz seeds anew")

type vectors struct {
	About    string          `json:"about"`
	Keys     []vectorKey     `json:"keys"`
	Messages []vectorMessage `json:"messages"`
	Control  []vectorControl `json:"control_frames"`
	Refused  []vectorRefused `json:"refused"`
}

type vectorKey struct {
	Name    string `json:"name"`
	Alg     int    `json:"algorithm"`
	Private string `json:"private"` // Ed25519 seed, or P-256 scalar
	SPKI    string `json:"spki"`
	ID      string `json:"key_id"`
}

type vectorMessage struct {
	Name      string `json:"name"`
	Key       string `json:"key"`
	Kind      int    `json:"kind"`
	Flags     int    `json:"flags"`
	Created   int64  `json:"created_ms"`
	Valid     int64  `json:"valid_ms"`
	Status    uint32 `json:"status"`
	ID        string `json:"request_id"`
	Head      string `json:"head"`
	Body      string `json:"body"`
	Bind      string `json:"bind"`
	Envelope  string `json:"envelope"`
	Statement string `json:"statement,omitempty"`
	Signature string `json:"signature"`
	Stream    uint32 `json:"stream"`
	More      bool   `json:"more"`
	Frame     string `json:"frame"`
	Hash      string `json:"message_hash,omitempty"`
}

type vectorControl struct {
	Name  string `json:"name"`
	Frame string `json:"frame"`
}

type vectorRefused struct {
	Name  string `json:"name"`
	Key   string `json:"key"`
	Frame string `json:"frame"`
}

// repeatable signs ECDSA as RFC 6979 does, so that vectors come out the same.
type repeatable struct{ crypto.Signer }

func (r repeatable) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return r.Signer.Sign(nil, digest, opts)
}

func vectorSigners(t *testing.T) map[string]*Signer {
	t.Helper()
	ec, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{2}, 32))
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]*Signer{}
	for name, k := range map[string]crypto.Signer{"consumer": ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)), "provider": repeatable{ec}} {
		if m[name], err = NewSigner(k, name); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// maker collects the messages of the vectors.
type maker struct {
	t       *testing.T
	signers map[string]*Signer
	v       *vectors
}

func (m *maker) fields(key string, kind Kind, n byte) Fields {
	s := m.signers[key]
	return Fields{Kind: kind, Alg: s.pub.alg, Key: s.pub.id, Created: noon.Add(time.Duration(n) * time.Millisecond), Valid: 30 * time.Second,
		ID: RequestID(bytes.Repeat([]byte{n}, 16))}
}

// add signs a group of messages of one key, together when there are several.
func (m *maker) add(key string, names []string, fields []Fields, heads, bodies []string) []*Envelope {
	m.t.Helper()
	s := m.signers[key]
	var envs []*Envelope
	for i := range fields {
		envs = append(envs, fields[i].Make())
		if err := envs[i].Check(); err != nil {
			m.t.Fatalf("%s: %v", names[i], err)
		}
	}
	var b Batch
	if err := b.Sign(s, noon.UnixMilli(), envs); err != nil {
		m.t.Fatal(err)
	}
	root := b.tree.Root()
	st := Statement(s.pub.id, noon.UnixMilli(), len(envs), &root)
	for i, e := range envs {
		f := &fields[i]
		v := vectorMessage{Name: names[i], Key: key, Kind: int(f.Kind), Flags: int(f.Flags), Created: f.Created.UnixMilli(), Valid: f.Valid.Milliseconds(),
			Status: f.Status, ID: f.ID.String(), Head: heads[i], Body: bodies[i], Bind: hex.EncodeToString(f.Bind[:]),
			Envelope: hex.EncodeToString(e[:]), Stream: uint32(f.ID[0]), More: i+1 < len(envs)}
		var sig []byte
		var err error
		if len(envs) == 1 {
			sig, err = AppendSingle(nil, s, e)
		} else {
			sig, v.Statement = b.Append(nil, i), hex.EncodeToString(st[:])
		}
		if err != nil {
			m.t.Fatal(err)
		}
		v.Signature = hex.EncodeToString(sig)
		fr := Frame{Type: byte(f.Kind), More: v.More, Stream: v.Stream, Envelope: e, Signature: sig, Head: []byte(heads[i]), Body: []byte(bodies[i])}
		v.Frame = hex.EncodeToString(AppendFrame(nil, &fr))
		if f.Kind != KindChunk && !e.Streamed() {
			h := MessageHash(e.HeadDigest(), e.BodyDigest())
			v.Hash = hex.EncodeToString(h[:])
		}
		m.v.Messages = append(m.v.Messages, v)
	}
	return envs
}

func makeVectors(t *testing.T) *vectors {
	t.Helper()
	m := &maker{t: t, signers: vectorSigners(t), v: &vectors{About: "Test vectors of the link protocol, version 1. Bytes are hexadecimal; head and body are text. ECDSA signatures are made as in RFC 6979; any valid one would do."}}
	for name, private := range map[string]byte{"consumer": 1, "provider": 2} {
		pub := m.signers[name].pub
		var key crypto.PublicKey = pub.ed
		if pub.ec != nil {
			key = pub.ec
		}
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		m.v.Keys = append(m.v.Keys, vectorKey{name, int(pub.alg), hex.EncodeToString(bytes.Repeat([]byte{private}, 32)), hex.EncodeToString(der), pub.id.String()})
	}
	if m.v.Keys[0].Name != "consumer" {
		m.v.Keys[0], m.v.Keys[1] = m.v.Keys[1], m.v.Keys[0]
	}
	var open []*Envelope
	message := func(n byte, head, body string) Fields {
		f := m.fields("consumer", KindRequest, n)
		f.Head, f.Body = sha512.Sum512([]byte(head)), sha512.Sum512([]byte(body))
		return f
	}
	open = append(open, m.add("consumer", []string{"request signed alone, without a body"}, []Fields{message(1, "GET /a\r\n", "")}, []string{"GET /a\r\n"}, []string{""})...)
	open = append(open, m.add("consumer", []string{"first of a batch of three", "second of a batch of three", "third of a batch of three: one level without a neighbour"},
		[]Fields{message(2, "POST /b\r\n", "two"), message(3, "POST /b\r\n", "three"), message(4, "POST /b\r\n", "")},
		[]string{"POST /b\r\n", "POST /b\r\n", "POST /b\r\n"}, []string{"two", "three", ""})...)
	answer := func(to *Envelope, status uint32, head, body string) Fields {
		f := m.fields("provider", KindResponse, to[offID])
		f.Status, f.Bind, f.Head, f.Body = status, to.Hash(), sha512.Sum512([]byte(head)), sha512.Sum512([]byte(body))
		return f
	}
	m.add("provider", []string{"response signed alone"}, []Fields{answer(open[0], 200, "200\r\n", "{}")}, []string{"200\r\n"}, []string{"{}"})
	m.add("provider", []string{"first response of a batch of two", "second response of a batch of two"},
		[]Fields{answer(open[1], 201, "", "a"), answer(open[2], 404, "404\r\n", "")}, []string{"", "404\r\n"}, []string{"a", ""})
	f := m.fields("consumer", KindRequest, 9)
	f.Flags, f.Head = FlagStream, sha512.Sum512([]byte("PUT /c\r\n"))
	prev := m.add("consumer", []string{"request whose body follows"}, []Fields{f}, []string{"PUT /c\r\n"}, []string{""})[0]
	body := ""
	for i, part := range []string{"the first chunk, ", "the second, ", "the last"} {
		body += part
		c := m.fields("consumer", KindChunk, 9)
		c.Status, c.Bind, c.Body = uint32(i), prev.Hash(), sha512.Sum512([]byte(body))
		name := "chunk"
		if i == 2 {
			c.Flags, name = FlagFinal, "last chunk"
		}
		prev = m.add("consumer", []string{name}, []Fields{c}, []string{""}, []string{part})[0]
	}
	for _, c := range []struct {
		name string
		f    Frame
	}{
		{"error", Frame{Type: FrameError, Stream: 4, Payload: []byte(TypeOverloaded)}}, {"cancel", Frame{Type: FrameCancel, Stream: 3}},
		{"window of two chunks", Frame{Type: FrameWindow, Stream: 9, Payload: []byte{0, 0, 0, 2}}},
		{"ping", Frame{Type: FramePing, Payload: []byte("12345678")}}, {"pong", Frame{Type: FramePong, Payload: []byte("12345678")}},
		{"go away", Frame{Type: FrameGoAway}},
	} {
		m.v.Control = append(m.v.Control, vectorControl{c.name, hex.EncodeToString(AppendFrame(nil, &c.f))})
	}
	for _, r := range []struct {
		name string
		of   int
		at   int
	}{{"one bit of the envelope's status", 0, 4 + 5 + offStatus + 3}, {"one bit of a proof", 1, 4 + 5 + EnvelopeSize + 2 + batchFixed}, {"one bit of a head", 1, -6}} {
		b, err := hex.DecodeString(m.v.Messages[r.of].Frame)
		if err != nil {
			t.Fatal(err)
		}
		if r.at < 0 {
			r.at += len(b)
		}
		b[r.at] ^= 1
		m.v.Refused = append(m.v.Refused, vectorRefused{r.name, m.v.Messages[r.of].Key, hex.EncodeToString(b)})
	}
	return m.v
}

const vectorFile = "testdata/vectors.json"

// The vectors of the specification are what this code makes.
func TestVectorsAreReproduced(t *testing.T) {
	got, err := json.MarshalIndent(makeVectors(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(vectorFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the vectors differ from what the code makes; a change of the format needs a new version")
	}
}

// The vectors are read as another implementation would read them.
func TestVectorsHold(t *testing.T) {
	b, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	keys := map[string]*PublicKey{}
	for _, k := range v.Keys {
		pub, err := x509.ParsePKIXPublicKey(unhex(t, k.SPKI))
		if err != nil {
			t.Fatal(err)
		}
		if keys[k.Name], err = NewPublicKey(pub, k.Name); err != nil || keys[k.Name].id.String() != k.ID {
			t.Fatalf("key %s: %v", k.Name, err)
		}
	}
	hold := func(frame, key string) error {
		f, err := ParseFrame(unhex(t, frame)[4:])
		if err == nil {
			err = f.Envelope.Check()
		}
		if err == nil && f.Type != FrameChunk {
			err = digestsMatch(&f)
		}
		if err == nil {
			err = NewVerifier().Verify(f.Envelope, f.Signature, keys[key])
		}
		return err
	}
	for _, m := range v.Messages {
		if err := hold(m.Frame, m.Key); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
	}
	for _, r := range v.Refused {
		if hold(r.Frame, r.Key) == nil {
			t.Errorf("%s: holds", r.Name)
		}
	}
	for _, c := range v.Control {
		if _, err := ParseFrame(unhex(t, c.Frame)[4:]); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Seeds of the fuzz targets come from the vectors.
func TestFuzzSeeds(t *testing.T) {
	if !*update {
		t.Skip("with -update")
	}
	v := makeVectors(t)
	seed := func(target, name string, b []byte) {
		dir := "testdata/fuzz/" + target
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		text := "go test fuzz v1\n[]byte(" + quote(b) + ")\n"
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i, m := range v.Messages {
		name := "vector" + string(rune('a'+i))
		seed("FuzzEnvelope", name, unhex(t, m.Envelope))
		seed("FuzzSignature", name, unhex(t, m.Signature))
		seed("FuzzFrame", name, unhex(t, m.Frame)[4:])
	}
	for i, c := range v.Control {
		seed("FuzzFrame", "control"+string(rune('a'+i)), unhex(t, c.Frame)[4:])
	}
	seed("FuzzDER", "shortest", appendDER(nil, append(make([]byte, 63), 1)))
	seed("FuzzDER", "longest", appendDER(nil, bytes.Repeat([]byte{0xff}, 64)))
}

func quote(b []byte) string {
	s := `"`
	for _, c := range b {
		s += `\x` + hex.EncodeToString([]byte{c})
	}
	return s + `"`
}
