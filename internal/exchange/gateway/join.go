package gateway

import (
	"bytes"
	"context"
	"crypto/x509"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"diwan/internal/exchange/gateway/directory"
	"diwan/internal/exchange/pki"
	"diwan/internal/exchange/snapshot"
	"diwan/internal/gov"
)

// JoinOptions say how a new node is to be set up. What is empty gets the usual
// value.
type JoinOptions struct {
	Config     string   // file to write; it must not be there
	Data       string   // folder; beside the file: data
	Database   string   // sqlite:PATH or postgres://…
	Addresses  []string // host:port under which others reach the link
	HTTP       string   // https base of the second profile
	Edge       string   // listener of client systems, loopback
	EdgeTLS    string
	Link       string        // listener
	HTTPListen string        // listener of the second profile
	Witness    bool          // cosign the logs of others
	Stamps     string        // address of a time-stamp authority
	StampEvery time.Duration // between stamps; 0 is the usual
	Admin      string
	Client     *http.Client
	Clock      gov.Clock
}

// Joined is a node that was let in.
type Joined struct {
	Config, Member, Node string
	MemberKey            bool // this node holds the member's key, which signs contracts
}

// Errors of joining.
var (
	// ErrOtherDirectory: who answers is not the directory of the invitation.
	ErrOtherDirectory = errors.New("this is not the directory that the invitation names: its key is another")
	// ErrConfigExists: joining never writes over a gateway that is there.
	ErrConfigExists = errors.New("the configuration file is there already")
	// ErrJoinBroke: joining did not come to its end, and can be repeated.
	ErrJoinBroke = errors.New("joining broke off; do the same again with the same join code, which stays good here for a day, or with a new one from the exchange desk")
)

// Join takes a new node from an invitation to a configuration that a gateway can
// be started with: it makes the keys, shows them to the directory, and writes
// certificates and settings. Wherever it breaks off it is repeated with the same
// options: keys that were made stay, and against the same token the directory says
// again to the holder of the same link key what it said before. When the token has
// ended by then, a new one does.
func Join(ctx context.Context, invitation string, o JoinOptions) (*Joined, error) {
	inv, err := directory.ReadInvitation(invitation)
	if err != nil {
		return nil, err
	}
	if o.Clock == nil {
		o.Clock = gov.SystemClock{}
	}
	orElse(&o.Config, "gateway.toml")
	orElse(&o.Data, filepath.Join(filepath.Dir(o.Config), "data"))
	if _, err := os.Stat(o.Config); err == nil {
		return nil, fmt.Errorf("%w: %s", ErrConfigExists, o.Config)
	}
	if err := os.MkdirAll(o.Data, dirMode); err != nil {
		return nil, err
	}
	dir, err := directory.New(inv.Directory, directory.Options{HTTP: o.Client, Now: o.Clock.Now})
	if err != nil {
		return nil, err
	}
	trusted, err := trustedKey(ctx, dir, inv)
	if err != nil {
		return nil, err
	}
	keys, err := openKeys(o.Data, o.Clock, true)
	if err != nil {
		return nil, err
	}
	j := &Joined{Config: o.Config, Member: inv.Member, Node: inv.Node}
	if j.MemberKey, err = enrol(ctx, dir, keys, inv, o, trusted); err == nil {
		err = keys.writeTrusted(trusted)
	}
	if err == nil {
		err = writeConfig(inv, o)
	}
	var refused *directory.Error
	switch {
	case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError:
		return nil, err // repeating helps nothing
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrJoinBroke, err)
	}
	return j, nil
}

// trustedKey asks the directory for its key and holds it to the invitation, which
// came by another way.
func trustedKey(ctx context.Context, dir *directory.Client, inv directory.Invitation) ([][]byte, error) {
	t, _, err := dir.Trust(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range t.DirectoryKeys {
		if snapshot.Hash(k) == inv.Key && t.Instance == inv.Instance {
			return [][]byte{k}, nil
		}
	}
	return nil, ErrOtherDirectory
}

// memberCertificates are those that the directory lists for the member.
func memberCertificates(ctx context.Context, dir *directory.Client, inv directory.Invitation, trusted [][]byte) ([][]byte, error) {
	signed, err := dir.Index(ctx, "")
	if err != nil {
		return nil, err
	}
	x, err := snapshot.Open(signed, trusted)
	if err != nil {
		return nil, err
	}
	hash, ok := x.Members[inv.Member]
	if !ok {
		return nil, nil
	}
	part, err := dir.Part(ctx, hash)
	if err != nil {
		return nil, err
	}
	m, err := snapshot.OpenPart(part, inv.Member, hash)
	if err != nil {
		return nil, err
	}
	return m.Certificates, nil
}

// ownCertificate is the one of a list whose key is here, from an attempt to join that
// did not come to its end; nil when there is none.
func (k *keyring) ownCertificate(list [][]byte) []byte {
	for _, der := range list {
		if c, err := x509.ParseCertificate(der); err == nil {
			if _, err := k.holder(c, memberPurpose); err == nil {
				return der
			}
		}
	}
	return nil
}

// enrol shows the keys to the directory and keeps what it gives for them. The first
// node of a member makes the member's own key; first tells whether this one has it.
func enrol(ctx context.Context, dir *directory.Client, keys *keyring, inv directory.Invitation, o JoinOptions, trusted [][]byte) (first bool, err error) {
	list, err := memberCertificates(ctx, dir, inv, trusted)
	if err != nil {
		return false, err
	}
	e, err := enrolment(keys, inv, o, len(list) == 0)
	if err != nil {
		return false, err
	}
	a, err := dir.Enrol(ctx, *e)
	if err != nil {
		return false, err
	}
	if a.Member != inv.Member || a.Node != inv.Node {
		return false, fmt.Errorf("the directory admitted %s/%s, not %s/%s", a.Member, a.Node, inv.Member, inv.Node)
	}
	if len(a.MemberCertificate) == 0 {
		a.MemberCertificate = keys.ownCertificate(list)
	}
	return len(a.MemberCertificate) > 0, keepCertificates(keys, a)
}

// enrolment makes the keys that are not there yet and puts down what is shown of them.
func enrolment(keys *keyring, inv directory.Invitation, o JoinOptions, memberKey bool) (*directory.Enrolment, error) {
	e := &directory.Enrolment{Token: inv.Token, Node: inv.Node, Addresses: o.Addresses, HTTP: o.HTTP, Hosts: hostsOf(o.Addresses)}
	tls, err := keys.store.Signer(tlsPurpose)
	if err != nil {
		return nil, err
	}
	if e.TLSRequest, err = pki.NewRequest(tls); err != nil {
		return nil, err
	}
	if memberKey {
		k, err := keys.store.Signer(memberPurpose)
		if err != nil {
			return nil, err
		}
		if e.MemberRequest, err = pki.NewRequest(k); err != nil {
			return nil, err
		}
		if e.Log, e.Witness, err = keys.publishedKeys(inv.Member, o.Witness); err != nil {
			return nil, err
		}
	}
	if e.LinkKey, err = keys.linkPKIX(); err != nil {
		return nil, err
	}
	e.LinkProof, err = pki.ProveKey(keys.link, inv.Token)
	return e, err
}

func keepCertificates(keys *keyring, a *directory.Admission) error {
	keep := func(file, purpose string, der []byte) error {
		c, err := x509.ParseCertificate(der)
		if err == nil {
			_, err = keys.holder(c, purpose)
		}
		if err != nil {
			return fmt.Errorf("the certificate from the directory: %w", err)
		}
		return writeCertificate(filepath.Join(keys.dir, file), der)
	}
	if len(a.MemberCertificate) > 0 {
		if err := keep(memberFile, memberPurpose, a.MemberCertificate); err != nil {
			return err
		}
	}
	return keep(tlsFile, tlsPurpose, a.TLSCertificate)
}

// Unfinished tells, of a configuration file that is not there, whether a gateway
// began to join for it and did not come to the end; nil when nothing began.
func Unfinished(config string) []Check {
	data := filepath.Join(filepath.Dir(config), "data")
	if _, err := os.Stat(filepath.Join(data, identityFile)); err != nil {
		return nil
	}
	return []Check{{"selftest.join.unfinished", Bad, map[string]string{"folder": data},
		"This gateway began to join the exchange and did not come to the end: there are keys in " + data + " and no settings in " + config +
			". Do `diwan gateway init` again as before: the same join code is good for a day after it was made, later the exchange desk makes a new one. The keys stay; nothing is to be deleted."}}
}

func hostsOf(addresses []string) []string {
	var out []string
	for _, a := range addresses {
		if host, _, err := net.SplitHostPort(a); err == nil {
			out = append(out, host)
		}
	}
	return out
}

//go:embed gateway.toml.tmpl
var configText string

var configTemplate = template.Must(template.New("config").Parse(configText))

// writeConfig writes a file that a person goes on with.
func writeConfig(inv directory.Invitation, o JoinOptions) error {
	orElse(&o.Edge, "127.0.0.1:8080")
	orElse(&o.Link, ":5500")
	orElse(&o.Admin, "127.0.0.1:9090")
	data, err := filepath.Abs(o.Data)
	if err != nil {
		return err
	}
	orElse(&o.Database, "sqlite:"+filepath.Join(data, "gateway.db"))
	var b bytes.Buffer
	err = configTemplate.Execute(&b, map[string]any{"Invitation": inv, "Data": data, "Options": o})
	if err != nil {
		return err
	}
	return writeFile(o.Config, b.Bytes())
}
