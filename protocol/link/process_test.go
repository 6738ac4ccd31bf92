package link_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"diwan/internal/exchange/journal"
	"diwan/protocol/link"
)

// TestMain lets the test binary be the provider of a benchmark.
func TestMain(m *testing.M) {
	if os.Getenv("LINK_TEST_PROVIDER") != "" {
		provide()
		return
	}
	os.Exit(m.Run())
}

// setup is what the provider's process is told on its standard input.
type setup struct {
	Dir        string
	PerMessage bool
	Cert, Key  []byte // of TLS
	CA         []byte
	Consumer   []byte // public signing key
	Seed       []byte // of the provider's signing key
}

type providerProcess struct {
	address string
	pid     int
}

// cpu is the processor's time of the process, to the hundredth of a second.
func (p *providerProcess) cpu() time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

func startProvider(b *testing.B, w *world, perMessage bool) *providerProcess {
	b.Helper()
	conf := w.ca.tls(provider)
	key := must(x509.MarshalPKCS8PrivateKey(conf.Certificates[0].PrivateKey))
	pub, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		b.Fatal(err)
	}
	cpub, cpriv, err := ed25519.GenerateKey(nil)
	if err != nil {
		b.Fatal(err)
	}
	w.clientConf.Signer = must(link.NewSigner(cpriv, consumer))
	k := must(link.NewPublicKey(pub, provider))
	w.keys.keys[k.ID()] = k
	text := must(json.Marshal(setup{b.TempDir(), perMessage, conf.Certificates[0].Certificate[0], key, w.ca.cert.Raw, cpub, priv.Seed()}))
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "LINK_TEST_PROVIDER=1")
	c.Stdin = bytes.NewReader(text)
	c.Stderr = os.Stderr
	out := must(c.StdoutPipe())
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Process.Kill(); c.Wait() })
	address := must(bufio.NewReader(out).ReadString('\n'))
	return &providerProcess{strings.TrimSpace(address), c.Process.Pid}
}

func provide() {
	var s setup
	if err := json.NewDecoder(os.Stdin).Decode(&s); err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(must(x509.ParseCertificate(s.CA)))
	conf := &tls.Config{ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
		Certificates: []tls.Certificate{{Certificate: [][]byte{s.Cert}, PrivateKey: must(x509.ParsePKCS8PrivateKey(s.Key))}}}
	signer := must(link.NewSigner(ed25519.NewKeyFromSeed(s.Seed), provider))
	peer := must(link.NewPublicKey(ed25519.PublicKey(s.Consumer), consumer))
	replay := link.NewReplayWindow(time.Now(), 0, nil)
	replay.Restored()
	head, answer := bytes.Repeat([]byte("h"), 300), bytes.Repeat([]byte("x"), 1024)
	server := must(link.NewServer(link.ServerConfig{
		Config: link.Config{Signer: signer, Keys: &ring{keys: map[link.KeyID]*link.PublicKey{peer.ID(): peer}},
			Journal: must(journal.Open(s.Dir, journal.Options{MinFree: 1})), Peer: peerName, PerMessage: s.PerMessage},
		TLS: conf, Replay: replay,
		Handler: link.HandlerFunc(func(context.Context, *link.Request) (*link.Reply, error) {
			return &link.Reply{Status: 200, Head: head, Body: answer}, nil
		}),
	}))
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	fmt.Println(l.Addr())
	server.Serve(l)
}
