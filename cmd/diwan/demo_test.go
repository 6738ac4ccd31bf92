package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// running is a demonstration as a process of its own.
type running struct {
	*testing.T
	portal string
	demo   struct {
		People   []struct{ Login, Reference string }
		Pids     map[string]int
		Exchange struct {
			Edge, Client string
			OtherClient  string `json:"other_client"`
			Services     []struct{ ID, Method, Path string }
			Nodes        []struct {
				Member, Edge, Admin, Config string
				PID                         int
			}
		}
	}
}

// startDemo runs `diwan demo` until the test ends, with more arguments if given.
func startDemo(t *testing.T, more ...string) *running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, append([]string{"demo", "--data", t.TempDir(), "--listen", address}, more...)...)
	cmd.Args[0] = "diwan" // the test's own binary answers to this name
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGINT)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the demonstration ended with %v", err)
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "ready") {
			go io.Copy(io.Discard, out)
			r := &running{T: t, portal: "http://" + address}
			if err := json.Unmarshal([]byte(r.get(r.portal+"/demo.json")), &r.demo); err != nil {
				t.Fatal(err)
			}
			return r
		}
	}
	t.Fatal("the demonstration did not become ready")
	return nil
}

func (r *running) get(address string) string {
	r.Helper()
	res, err := http.Get(address)
	return r.whole(res, err)
}

// whole reads an answer to its end.
func (r *running) whole(res *http.Response, err error) string {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.Fatal(err)
	}
	return string(b)
}

// ask sends a request through the edge of the first gateway, as an information
// system with one header does.
func (r *running) ask(client, method, target, body string, more ...string) (int, http.Header, string) {
	r.Helper()
	req, err := http.NewRequest(method, r.demo.Exchange.Edge+"/r1/"+target, strings.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("X-Road-Client", client)
	for i := 0; i < len(more); i += 2 {
		req.Header.Set(more[i], more[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	text := r.whole(res, err)
	return res.StatusCode, res.Header, text
}

// mine is what a sample person reads about exchanges of their data.
func (r *running) mine(login string) string {
	r.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	res, err := c.PostForm(r.portal+"/fr/me/sign-in", url.Values{"login": {login}})
	r.whole(res, err)
	res, err = c.Get(r.portal + "/fr/me/data")
	return r.whole(res, err)
}

// What the exchange is there to show: a town asks a civil registry, a system that
// speaks XML and one that drops a file, each with one header; who has no contract
// is refused; the person concerned sees it; what is repeated is done once; and all
// of that goes on when the portal is gone.
func TestDemonstrationOfTheExchange(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole demonstration is not started in a short run")
	}
	r := startDemo(t)
	x := r.demo.Exchange
	if len(x.Nodes) < 4 || len(r.demo.People) == 0 {
		t.Fatalf("/demo.json names %d gateways and %d people", len(x.Nodes), len(r.demo.People))
	}
	person := r.demo.People[0]
	var post string
	for _, s := range x.Services {
		if s.Method != http.MethodGet {
			post = s.ID + s.Path
			continue
		}
		status, head, body := r.ask(x.Client, s.Method, s.ID+s.Path, "", "X-Road-UserId", "subject:"+person.Reference)
		if status != http.StatusOK || !strings.Contains(body, `"sample":true`) || head.Get("X-Road-Service") != s.ID || head.Get("X-Road-Request-Hash") == "" {
			t.Errorf("%s: %d %v %s", s.ID, status, head, body)
		}
		if strings.Contains(body, "parents") {
			t.Errorf("%s: a field that the contract does not name has passed: %s", s.ID, body)
		}
		if status, head, body := r.ask(x.OtherClient, s.Method, s.ID+s.Path, ""); status != http.StatusInternalServerError || head.Get("X-Road-Error") != "server.serverproxy.access_denied" {
			t.Errorf("without a contract %s: %d %s", s.ID, status, body)
		}
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Second) {
		page := r.mine(person.Login)
		if strings.Count(page, "les deux administrations") >= 3 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the person does not see the exchanges, reported by both sides")
		}
	}

	const act = `{"name":{"fr":"Sample"},"birth":{"date":"2026-01-01"}}`
	once := func() string {
		status, _, body := r.ask(x.Client, http.MethodPost, post, act, "X-Road-Id", "once-1", "Content-Type", "application/json")
		if status != http.StatusCreated {
			t.Errorf("registering: %d %s", status, body)
		}
		return body
	}
	if first := once(); once() != first {
		t.Error("the same request again was answered otherwise")
	}

	if err := syscall.Kill(r.demo.Pids["serve"], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if status, _, body := r.ask(x.Client, http.MethodGet, x.Services[0].ID+x.Services[0].Path, "", "X-Road-Id", fmt.Sprint("after-", i)); status != http.StatusOK {
			t.Fatalf("without the portal: %d %s", status, body)
		}
	}
	if once() == "" {
		t.Error("nothing came back")
	}
	r.provenOffline("once-1")
}

// provenOffline proves an exchange from two files alone: the proof that its gateway's
// owner makes, and the verification configuration that the edge gives.
func (r *running) provenOffline(id string) {
	r.Helper()
	res, err := http.Get(r.demo.Exchange.Edge + "/verificationconf")
	conf := r.whole(res, err)
	dir := r.TempDir()
	proof, trust := filepath.Join(dir, "proof.json"), filepath.Join(dir, "verificationconf.zip")
	if err := os.WriteFile(trust, []byte(conf), 0o600); err != nil {
		r.Fatal(err)
	}
	var said bytes.Buffer
	env := environment{stdout: &said, stderr: &said}
	for end := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) { // until the log has it
		said.Reset()
		if run(r.Context(), env, []string{"exchange", "prove", "--data", r.demo.Exchange.Nodes[0].Config, "--id", id, "--out", proof}) == exitDone {
			break
		}
		if time.Now().After(end) {
			r.Fatalf("it can't be proven: %s", &said)
		}
	}
	said.Reset()
	if status := run(r.Context(), env, []string{"exchange", "verify", proof, "--trust", trust}); status != exitDone || !strings.Contains(said.String(), "PROVEN: ") {
		r.Errorf("with the verification configuration: %d %s", status, &said)
	}
	if err := os.WriteFile(trust, []byte(conf[:len(conf)-10]), 0o600); err != nil {
		r.Fatal(err)
	}
	if status := run(r.Context(), env, []string{"exchange", "verify", proof, "--trust", trust}); status == exitDone {
		r.Error("a verification configuration that was cut is believed")
	}
}
