package exchange

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"time"

	"diwan/internal/db"
	"diwan/internal/exchange/pki"
	"diwan/internal/exchange/snapshot"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Invitation is what a person pastes into a new gateway: where the directory is,
// who they are to become, and how to know that directory from another.
type Invitation struct {
	Directory string `json:"directory"`
	Instance  string `json:"instance"`
	Member    string `json:"member"`
	Node      string `json:"node"`
	Token     string `json:"token"`
	Key       string `json:"key"` // SHA-256 of the directory's key (PKIX), hexadecimal
}

const invitationPrefix = "dxj_"

// String is the code that is pasted.
func (i Invitation) String() string {
	return invitationPrefix + base64.RawURLEncoding.EncodeToString([]byte(jsonOf(i)))
}

// ReadInvitation reads a pasted code.
func ReadInvitation(code string) (Invitation, error) {
	var i Invitation
	if len(code) < len(invitationPrefix) || len(code) > 4096 || code[:len(invitationPrefix)] != invitationPrefix {
		return i, problem.New(problem.Invalid, "exchange.invitation")
	}
	b, err := base64.RawURLEncoding.DecodeString(code[len(invitationPrefix):])
	if err == nil {
		err = json.Unmarshal(b, &i)
	}
	if err != nil || i.Directory == "" || i.Token == "" || i.Member == "" || i.Node == "" || len(i.Key) != 64 {
		return i, problem.Wrap(err, problem.Invalid, "exchange.invitation")
	}
	return i, nil
}

var nodeForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,30}$`)

// Invite makes a one-time token for a node of a member.
func (x *Exchange) Invite(ctx context.Context, by gov.Actor, member, node, directory string) (Invitation, error) {
	if !nodeForm.MatchString(node) {
		return Invitation{}, problem.New(problem.Invalid, "exchange.node_name")
	}
	token, hash := pki.NewToken()
	now := x.clock.Now()
	err := x.store.db.RunTx(ctx, func(tx *db.Tx) error {
		m, err := x.store.member(ctx, tx, member)
		if err != nil {
			return err
		}
		if !m.Suspended.IsZero() {
			return problem.New(problem.Conflict, "exchange.member_suspended")
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO exchange_token (hash, member, node, made_by, expires_at, used_at) VALUES ($1, $2, $3, $4, $5, 0)`,
			hash, member, node, by.ID, db.Micros(now.Add(pki.TokenLife)))
		if err != nil {
			return err
		}
		return x.audit.Append(ctx, tx, chain, by, "exchange.node.invited", member+"/"+node, nil)
	})
	key, kerr := x.directoryKey()
	return Invitation{Directory: directory, Instance: x.settings.Instance, Member: member, Node: node, Token: token, Key: snapshot.Hash(key)}, errors.Join(err, kerr)
}

// directoryKey is the public key (PKIX) that signs the directory.
func (x *Exchange) directoryKey() ([]byte, error) {
	return x509.MarshalPKIXPublicKey(x.signer.Public())
}

// Enrolment is what a new gateway sends.
type Enrolment struct {
	Token         string   `json:"token"`
	Node          string   `json:"node"`
	Addresses     []string `json:"addresses"`
	HTTP          string   `json:"http"`
	Hosts         []string `json:"hosts"`
	TLSRequest    []byte   `json:"tls_request"`
	MemberRequest []byte   `json:"member_request"`
	LinkKey       []byte   `json:"link_key"`
	LinkProof     []byte   `json:"link_proof"`
	Log           string   `json:"log"`
	Witness       string   `json:"witness"`
}

// Admission is what it gets.
type Admission struct {
	Instance          string   `json:"instance"`
	Member            string   `json:"member"`
	Node              string   `json:"node"`
	TLSCertificate    []byte   `json:"tls_certificate"`
	MemberCertificate []byte   `json:"member_certificate"`
	Authorities       [][]byte `json:"authorities"`
	DirectoryKeys     [][]byte `json:"directory_keys"`
}

// errToken is the same whatever is wrong with a token: who tries many learns
// nothing.
var errToken = problem.New(problem.Forbidden, "exchange.token")

// linkKeyLife is how long a link key is good without a renewal.
const linkKeyLife = 2 * pki.NodeLife

// Enrol lets a gateway in against its token. A gateway that did not hear the answer
// asks again with the same token and the same link key, and gets the same admission
// while the token lasts; nothing is issued twice. With a new token a node comes in
// again with keys that it has already, but for those that were revoked.
func (x *Exchange) Enrol(ctx context.Context, e Enrolment) (*Admission, error) {
	if err := checkAddresses(e.Addresses, e.HTTP, e.Hosts); err != nil {
		return nil, err
	}
	if err := pki.CheckKey(e.LinkKey, e.LinkProof, e.Token); err != nil {
		return nil, problem.Wrap(err, problem.Invalid, "exchange.key_proof")
	}
	var out *Admission
	err := x.run(ctx, func(tx *db.Tx) error {
		member, err := x.redeem(ctx, tx, e)
		if errors.Is(err, sql.ErrNoRows) {
			out, err = x.admitted(ctx, tx, e)
			return err
		}
		if err != nil {
			return err
		}
		if out, err = x.admit(ctx, tx, member, e); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE exchange_token SET admission = $2 WHERE hash = $1`, pki.TokenHash(e.Token), jsonOf(out))
		return err
	})
	return out, err
}

// redeem uses a token up; sql.ErrNoRows when it can't be used.
func (x *Exchange) redeem(ctx context.Context, tx *db.Tx, e Enrolment) (member string, err error) {
	err = tx.QueryRowContext(ctx, `UPDATE exchange_token SET used_at = $3, used_by = $4 WHERE hash = $1 AND node = $2 AND used_at = 0 AND expires_at > $3 RETURNING member`,
		pki.TokenHash(e.Token), e.Node, db.Micros(x.clock.Now()), snapshot.Hash(e.LinkKey)).Scan(&member)
	return member, err
}

// admitted is what the holder of a link key was told before, against the same token.
// That key has just been proved (pki.CheckKey), bound to this token.
func (x *Exchange) admitted(ctx context.Context, tx *db.Tx, e Enrolment) (*Admission, error) {
	var member, admission string
	err := tx.QueryRowContext(ctx, `SELECT member, admission FROM exchange_token WHERE hash = $1 AND node = $2 AND used_by = $3 AND admission <> '' AND expires_at > $4`,
		pki.TokenHash(e.Token), e.Node, snapshot.Hash(e.LinkKey), db.Micros(x.clock.Now())).Scan(&member, &admission)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errToken
	}
	if err != nil {
		return nil, err
	}
	m, err := x.store.member(ctx, tx, member)
	if err != nil {
		return nil, err
	}
	good := slices.ContainsFunc(m.Keys, func(k Key) bool {
		return k.SHA256 == snapshot.Hash(e.LinkKey) && k.Node == e.Node && k.Revoked.IsZero()
	})
	if !m.Suspended.IsZero() || !good {
		return nil, errToken
	}
	var out Admission
	return &out, json.Unmarshal([]byte(admission), &out)
}

func (x *Exchange) admit(ctx context.Context, tx *db.Tx, member string, e Enrolment) (*Admission, error) {
	now := x.clock.Now()
	m, err := x.store.member(ctx, tx, member)
	if err != nil {
		return nil, err
	}
	if !m.Suspended.IsZero() {
		return nil, errToken
	}
	if err := checkLogKeys(member, e.Log, e.Witness); err != nil {
		return nil, err
	}
	out := &Admission{Instance: x.settings.Instance, Member: member, Node: e.Node}
	if out.Authorities, out.DirectoryKeys, err = x.trust(); err != nil {
		return nil, err
	}
	tls, err := x.authority.IssueNode(e.TLSRequest, pki.Holder{Member: member, Node: e.Node, Hosts: e.Hosts}, now)
	if err != nil {
		return nil, problem.Wrap(err, problem.Invalid, "exchange.certificate_request")
	}
	out.TLSCertificate = tls.Raw
	keys := []Key{nodeKey(KeyTLS, member, e.Node, tls), {SHA256: snapshot.Hash(e.LinkKey), Member: member, Node: e.Node, Kind: KeyLink, DER: e.LinkKey,
		NotBefore: now.Add(-pki.Backdate), NotAfter: now.Add(linkKeyLife)}}
	if len(e.MemberRequest) > 0 {
		c, err := x.authority.IssueMember(e.MemberRequest, member, now)
		if err != nil {
			return nil, problem.Wrap(err, problem.Invalid, "exchange.certificate_request")
		}
		out.MemberCertificate = c.Raw
		keys = append(keys, Key{SHA256: snapshot.Hash(c.Raw), Member: member, Kind: KeyMember, DER: c.Raw, NotBefore: c.NotBefore, NotAfter: c.NotAfter})
	}
	if slices.ContainsFunc(keys, func(k Key) bool { return taken(ctx, tx, k) }) {
		return nil, problem.New(problem.Conflict, "exchange.key_taken")
	}
	if err := x.putNode(ctx, tx, m, e, keys); err != nil {
		return nil, err
	}
	if _, err := x.store.changed(ctx, tx); err != nil {
		return nil, err
	}
	return out, x.audit.Append(ctx, tx, chain, gov.Actor{ID: "node:" + member + "/" + e.Node}, "exchange.node.enrolled", member+"/"+e.Node,
		map[string]string{"link_key": snapshot.Hash(e.LinkKey)})
}

// taken tells whether a key was brought in before by another, who could not be told
// apart, or was revoked. A node brings its own keys in again after a join that broke
// off.
func taken(ctx context.Context, tx *db.Tx, k Key) bool {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM exchange_key WHERE sha256 = $1 AND NOT (member = $2 AND node = $3 AND kind = $4 AND revoked_at = 0)`,
		k.SHA256, k.Member, k.Node, k.Kind).Scan(&n)
	return err != nil || n > 0
}

func (x *Exchange) putNode(ctx context.Context, tx *db.Tx, m *Member, e Enrolment, keys []Key) error {
	now := db.Micros(x.clock.Now())
	_, err := tx.ExecContext(ctx, `INSERT INTO exchange_node (member, name, addresses, http, hosts, maintenance, seen_at, created_at) VALUES ($1, $2, $3, $4, $5, '', $6, $6)
		ON CONFLICT (member, name) DO UPDATE SET addresses = excluded.addresses, http = excluded.http, hosts = excluded.hosts, seen_at = excluded.seen_at`,
		m.ID, e.Node, jsonOf(e.Addresses), e.HTTP, jsonOf(e.Hosts), now)
	if err != nil {
		return err
	}
	if e.Log != "" || e.Witness != "" {
		_, err = tx.ExecContext(ctx, `UPDATE exchange_member SET log_key = $2, witness_key = $3 WHERE id = $1`, m.ID, or(e.Log, m.LogKey), or(e.Witness, m.WitnessKey))
		if err != nil {
			return err
		}
	}
	for _, k := range keys {
		if err := x.store.renewed(ctx, tx, k); err != nil {
			return err
		}
	}
	return nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// nodeKey is the entry of a TLS certificate, under the hash of its key, by which
// gateways pin it.
func nodeKey(kind, member, node string, c *x509.Certificate) Key {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return Key{SHA256: hex.EncodeToString(sum[:]), Member: member, Node: node, Kind: kind, DER: c.Raw, NotBefore: c.NotBefore, NotAfter: c.NotAfter}
}

// trust is what a gateway must trust.
func (x *Exchange) trust() (authorities, directory [][]byte, err error) {
	key, err := x.directoryKey()
	return [][]byte{x.authority.Certificate.Raw}, [][]byte{key}, err
}

// Renewal is what a gateway sends before its certificate ends.
type Renewal struct {
	TLSRequest []byte `json:"tls_request"`
	LinkKey    []byte `json:"link_key,omitempty"`
	LinkProof  []byte `json:"link_proof,omitempty"`
}

// Renew issues a new certificate to a node that has shown to be itself. A new
// link key joins the old one; without one the old one's life begins anew.
func (x *Exchange) Renew(ctx context.Context, n Caller, r Renewal) (*Admission, error) {
	now := x.clock.Now()
	out := &Admission{Instance: x.settings.Instance, Member: n.Member, Node: n.Node}
	err := x.run(ctx, func(tx *db.Tx) (err error) {
		m, err := x.store.member(ctx, tx, n.Member)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(m.Nodes, func(o Node) bool { return o.Name == n.Node })
		if i < 0 {
			return errToken
		}
		if out.Authorities, out.DirectoryKeys, err = x.trust(); err != nil {
			return err
		}
		tls, err := x.authority.IssueNode(r.TLSRequest, pki.Holder{Member: n.Member, Node: n.Node, Hosts: m.Nodes[i].Hosts}, now)
		if err != nil {
			return problem.Wrap(err, problem.Invalid, "exchange.certificate_request")
		}
		out.TLSCertificate = tls.Raw
		if err := x.store.renewed(ctx, tx, nodeKey(KeyTLS, n.Member, n.Node, tls)); err != nil {
			return err
		}
		link := Key{SHA256: n.Key, Member: n.Member, Node: n.Node, Kind: KeyLink, NotAfter: now.Add(linkKeyLife)}
		if len(r.LinkKey) > 0 {
			if err := pki.CheckKey(r.LinkKey, r.LinkProof, n.Key); err != nil {
				return problem.Wrap(err, problem.Invalid, "exchange.key_proof")
			}
			link.SHA256, link.DER, link.NotBefore = snapshot.Hash(r.LinkKey), r.LinkKey, now.Add(-pki.Backdate)
		}
		if err := x.store.renewed(ctx, tx, link); err != nil {
			return err
		}
		if _, err := x.store.changed(ctx, tx); err != nil {
			return err
		}
		return x.audit.Append(ctx, tx, chain, n.actor(), "exchange.node.renewed", n.Member+"/"+n.Node, nil)
	})
	return out, err
}

// renewed brings a new key in, or lets one that the same node has live longer.
// The key of another, or one that was revoked, stays what it is.
func (s store) renewed(ctx context.Context, tx *db.Tx, k Key) error {
	if len(k.DER) > 0 {
		if err := s.putKey(ctx, tx, k); err != nil {
			return err
		}
	}
	r, err := tx.ExecContext(ctx, `UPDATE exchange_key SET not_after = $5 WHERE sha256 = $1 AND member = $2 AND node = $3 AND kind = $4 AND revoked_at = 0`,
		k.SHA256, k.Member, k.Node, k.Kind, db.Micros(k.NotAfter))
	if err := one(r, err); err != nil {
		return problem.Wrap(err, problem.Conflict, "exchange.key_taken")
	}
	return nil
}

// maxAddresses bounds what a node says of where it is.
const maxAddresses = 8

func checkAddresses(link []string, http string, hosts []string) error {
	wrong := func(code string) error { return problem.New(problem.Invalid, code) }
	if len(link) == 0 && http == "" || len(link) > maxAddresses || len(hosts) > maxAddresses {
		return wrong("exchange.addresses")
	}
	for _, a := range link {
		host, port, err := net.SplitHostPort(a)
		if err != nil || host == "" || port == "" || port == "0" || len(a) > 300 {
			return wrong("exchange.addresses")
		}
	}
	if http != "" {
		u, err := url.Parse(http)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || len(http) > 300 {
			return wrong("exchange.addresses")
		}
	}
	for _, h := range hosts {
		if h == "" || len(h) > 253 {
			return wrong("exchange.addresses")
		}
	}
	return nil
}

// Caller is a node that has shown to be itself.
type Caller struct {
	Member, Node string
	Key          string // SHA-256 of its link key, hexadecimal
}

func (c Caller) actor() gov.Actor { return gov.Actor{ID: "node:" + c.Member + "/" + c.Node} }

// SweepTokens forgets tokens and nonces whose time is over.
func (x *Exchange) SweepTokens(ctx context.Context) error {
	now := x.clock.Now()
	return x.store.db.RunTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM exchange_token WHERE expires_at < $1`, db.Micros(now.Add(-30*24*time.Hour))); err != nil {
			return fmt.Errorf("sweeping tokens: %w", err)
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM exchange_nonce WHERE expires_at < $1`, db.Micros(now))
		return err
	})
}
