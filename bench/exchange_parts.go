package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/http/pprof"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"diwan/internal/exchange/gateway"
	"diwan/internal/gov"
)

// Each part of the measurement is a process of its own: this binary, started anew
// with the name of the part.
var (
	exchangePart    = flag.String("exchange-part", "", "be one part of the exchange benchmark: backend, asks, answers or gateway")
	exchangeTarget  = flag.String("exchange-target", "", "of a part: where it passes requests on, or the gateway's configuration")
	exchangeKeys    = flag.String("exchange-keys", "", "of a part: folder of the reference's certificates")
	exchangeProfile = flag.String("exchange-profile", "", "folder for profiles of the gateways, which then run in this binary; nothing else is measured")
)

// answerBytes is the length of an answer's body; largeBytes that of a large one.
const (
	answerBytes = 1 << 10
	largeBytes  = 50 << 20
)

// sharedSettings are the same for every process, the reference's too: with the
// usual GOGC a small heap is collected all the time, whoever it belongs to. Gateways
// take the same GOGC by themselves while messages pass.
var sharedSettings = []string{"GOGC=400", "GOMAXPROCS=2", "GOMEMLIMIT="}

func servePart(ctx context.Context) error {
	if *exchangePart != "gateway" { // which ends by itself when it is told to
		context.AfterFunc(ctx, func() { os.Exit(0) })
	}
	switch *exchangePart {
	case "backend":
		return serveBackend()
	case "asks":
		return serveAsks(*exchangeTarget, *exchangeKeys)
	case "answers":
		return serveAnswers(*exchangeTarget, *exchangeKeys)
	case "gateway":
		return serveGateway(ctx, *exchangeTarget)
	}
	return fmt.Errorf("there is no part %q", *exchangePart)
}

// startPart starts a part and returns it with the lines it prints first, one an
// address.
func startPart(ctx context.Context, lines int, args ...string) (*process, []string, error) {
	p := &process{cmd: exec.CommandContext(ctx, os.Args[0], append(args, "exchange")...)}
	p.cmd.Env = append(os.Environ(), sharedSettings...)
	p.cmd.Stderr = os.Stderr
	out, in, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	p.cmd.Stdout = in
	if err := p.start(); err != nil {
		return nil, nil, err
	}
	r := bufio.NewReader(out)
	var said []string
	for range lines {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, nil, fmt.Errorf("the part %v did not start: %w", args, err)
		}
		said = append(said, strings.TrimSpace(line))
	}
	return p, said, nil
}

// serveBackend is the administration's own service: short answers, written by hand
// so that they cost next to nothing, and a second port for large bodies.
func serveBackend() error {
	short, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	long, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%s\n", short.Addr(), long.Addr())
	go http.Serve(long, http.HandlerFunc(largeBody))
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", answerBytes)
	answer := append([]byte(head), `"`+strings.Repeat("x", answerBytes-2)+`"`...)
	for {
		c, err := short.Accept()
		if err != nil {
			return err
		}
		go answerShort(c, answer)
	}
}

// answerShort answers requests without a body for as long as the connection lasts.
func answerShort(c net.Conn, answer []byte) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(line) <= 2 {
				break
			}
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

func largeBody(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%d", n)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", fmt.Sprint(largeBytes))
	chunk := bytes.Repeat([]byte("large "), 10<<10)
	for left := largeBytes; left > 0; left -= len(chunk) {
		w.Write(chunk[:min(left, len(chunk))])
	}
}

// The reference is two bare reverse proxies with mutual TLS 1.3 between them.

func serveAsks(target, dir string) error {
	pair, roots, err := readPair(dir)
	if err != nil {
		return err
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, RootCAs: roots}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	return serveProxy(l, "https://"+target, conf)
}

func serveAnswers(target, dir string) error {
	pair, roots, err := readPair(dir)
	if err != nil {
		return err
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, ClientCAs: roots, ClientAuth: tls.RequireAndVerifyClientCert}
	l, err := tls.Listen("tcp", "127.0.0.1:0", conf)
	if err != nil {
		return err
	}
	return serveProxy(l, "http://"+target, nil)
}

func serveProxy(l net.Listener, target string, conf *tls.Config) error {
	u, err := url.Parse(target)
	if err != nil {
		return err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:    func(r *httputil.ProxyRequest) { r.SetURL(u) },
		Transport:  &http.Transport{TLSClientConfig: conf, MaxIdleConns: 256, MaxIdleConnsPerHost: 256, DisableCompression: true},
		BufferPool: &buffers{sync.Pool{New: func() any { return new([32 << 10]byte) }}},
	}
	fmt.Println(l.Addr())
	return (&http.Server{Handler: proxy, ErrorLog: log.New(io.Discard, "", 0)}).Serve(l)
}

type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte  { return b.pool.Get().(*[32 << 10]byte)[:] }
func (b *buffers) Put(p []byte) { b.pool.Put((*[32 << 10]byte)(p)) }

// writePair makes a root and one certificate of it, for both proxies.
func writePair(dir string) error {
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "reference root"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "reference"}, NotBefore: root.NotBefore, NotAfter: root.NotAfter, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)
	if err != nil {
		return err
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, key.Public(), rootKey)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for name, block := range map[string]*pem.Block{"root.pem": {Type: "CERTIFICATE", Bytes: rootDER}, "leaf.pem": {Type: "CERTIFICATE", Bytes: leafDER}, "key.pem": {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func readPair(dir string) (tls.Certificate, *x509.CertPool, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "leaf.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		return pair, nil, err
	}
	b, err := os.ReadFile(filepath.Join(dir, "root.pem"))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(b)
	return pair, roots, err
}

// serveGateway runs a gateway in this binary and lets its profiles be read on
// the loopback.
func serveGateway(ctx context.Context, config string) error {
	cfg, err := gateway.ReadConfig(config)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	g, err := gateway.Open(ctx, cfg, errorsOnly, gov.SystemClock{})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/profile", pprof.Profile)
	mux.Handle("/allocs", pprof.Handler("allocs"))
	go http.Serve(l, mux)
	fmt.Println(l.Addr())
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	return g.Run(ctx)
}
