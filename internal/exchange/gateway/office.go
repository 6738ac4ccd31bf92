package gateway

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"diwan/internal/exchange/contract"
	"diwan/internal/exchange/gateway/directory"
	"diwan/internal/exchange/snapshot"
	"diwan/internal/gov"
	"diwan/protocol/xroad"
)

// Office is what the people of a member do from the node that holds the member's
// key: say what they offer, and agree on contracts. It needs keys and directory
// only, so that it works beside a gateway that runs.
type Office struct {
	cfg       Config
	clock     gov.Clock
	keys      *keyring
	directory *directory.Client
	keeper    *snapshot.Keeper
}

// OpenOffice opens the keys of a node.
func OpenOffice(cfg Config, clock gov.Clock) (*Office, error) {
	cfg.defaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Directory == "" {
		return nil, errNoDirectory
	}
	o := &Office{cfg: cfg, clock: clock}
	var err error
	if o.keys, err = openKeys(cfg.Data, clock, false); err != nil {
		return nil, err
	}
	trusted, err := o.keys.trustedKeys()
	if err != nil {
		return nil, err
	}
	if o.directory, err = directory.New(cfg.Directory, directory.Options{Signer: o.keys.link, Now: clock.Now}); err != nil {
		return nil, err
	}
	o.keeper, err = snapshot.NewKeeper(filepath.Join(cfg.Data, directoryCache), cfg.Instance, trusted, maxClockSkew)
	return o, err
}

// View returns the directory as it is now.
func (o *Office) View(ctx context.Context) (*snapshot.View, error) {
	now := o.clock.Now()
	if _, err := o.keeper.Update(ctx, o.directory, now); err != nil {
		if v, verr := o.keeper.Valid(now); verr == nil && errors.Is(err, directory.ErrUnreachable) {
			return v, nil
		}
		return nil, err
	}
	return o.keeper.Valid(now)
}

// Directory is the client, for what a member says of itself.
func (o *Office) Directory() *directory.Client { return o.directory }

// Announce tells the directory where this node is.
func (o *Office) Announce(ctx context.Context, maintenance string) error {
	return o.directory.SetNode(ctx, directory.NodeState{Addresses: o.cfg.Link.Addresses, HTTP: o.cfg.HTTP.Address, Maintenance: maintenance})
}

// Terms are what a member asks for; the rest of a contract follows from them.
type Terms struct {
	Client    string // our subsystem, or the one of the member that asks
	Service   string // five parts
	Delegator string // member on whose behalf, or ""
	From      time.Time
	Until     time.Time
	contract.Properties
}

// Draft makes the content of a contract, for people to read before it is signed.
func (o *Office) Draft(ctx context.Context, t Terms) ([]byte, error) {
	view, err := o.View(ctx)
	if err != nil {
		return nil, err
	}
	client, err := xroad.ParseClientID(t.Client)
	if err != nil {
		return nil, fmt.Errorf("the client: %w", err)
	}
	service, err := xroad.ParseServiceID(t.Service)
	if err != nil {
		return nil, fmt.Errorf("the service: %w", err)
	}
	asks := client.MemberID().String()
	print, err := newestPrint(view, asks)
	if err != nil {
		return nil, err
	}
	p := t.Properties
	p.Client, p.Service = t.Client, t.Service
	data := contract.GrantData{Type: contract.Connection, Service: contract.Service{PeerID: service.Provider.MemberID().String(), Name: contract.ServiceName(service)},
		Outway: contract.Outway{PeerID: asks, PublicKeyThumbprint: print}, Properties: p}
	if t.Delegator != "" {
		data.Type, data.Delegator = contract.DelegatedConnection, &contract.Peer{PeerID: t.Delegator}
	}
	var iv [16]byte
	rand.Read(iv[:])
	iv[6], iv[8] = iv[6]&0x0f|0x40, iv[8]&0x3f|0x80
	raw, err := json.Marshal(contract.Content{IV: uuid(iv), GroupID: o.cfg.Instance, HashAlgorithm: "HASH_ALGORITHM_SHA3_512", CreatedAt: o.clock.Now().Unix(),
		Validity: contract.Validity{NotBefore: t.From.Unix(), NotAfter: t.Until.Unix()}, Grants: []contract.Grant{{Data: data}}})
	if err != nil {
		return nil, err
	}
	_, err = contract.Parse(raw)
	return raw, err
}

// newestPrint is the thumbprint of the key that a member got last and that was not
// revoked.
func newestPrint(view *snapshot.View, member string) (string, error) {
	var newest *x509.Certificate
	if m := view.Members[member]; m != nil {
		for _, der := range m.Certificates {
			c, err := x509.ParseCertificate(der)
			if err != nil {
				continue
			}
			if _, _, ok := view.Signer(contract.Thumbprint(c)); ok && (newest == nil || c.NotBefore.After(newest.NotBefore)) {
				newest = c
			}
		}
	}
	if newest == nil {
		return "", fmt.Errorf("the directory knows no key of %s, to which the contract is bound", member)
	}
	return contract.KeyThumbprint(newest), nil
}

// Propose signs the content of a new contract and brings it to the directory, for
// the other parties to answer.
func (o *Office) Propose(ctx context.Context, content []byte) (hash string, err error) {
	c, err := contract.Parse(content)
	if err == nil {
		err = c.Check(o.clock.Now(), o.cfg.Instance, maxClockSkew)
	}
	if err == nil {
		hash, err = contract.Hash(content)
	}
	if err != nil {
		return "", err
	}
	jws, err := o.sign(hash, contract.Accept)
	if err != nil {
		return "", err
	}
	got, err := o.directory.Propose(ctx, content, jws)
	if err == nil && got != hash {
		return "", fmt.Errorf("the directory keeps another contract than was sent: %s", got)
	}
	return hash, err
}

// Answer accepts, rejects or revokes a contract with the member's key. It signs
// the hash of the content that was read here, whatever the directory calls it.
func (o *Office) Answer(ctx context.Context, hash string, kind contract.Kind) error {
	c, err := o.Contract(ctx, hash)
	if err != nil {
		return err
	}
	jws, err := o.sign(c.Hash, kind)
	if err != nil {
		return err
	}
	return o.directory.Answer(ctx, c.Hash, kind, jws)
}

func (o *Office) sign(hash string, kind contract.Kind) (string, error) {
	key, cert, err := o.keys.memberKey()
	if err != nil {
		return "", err
	}
	return contract.Sign(hash, kind, o.clock.Now(), key, cert)
}

// ErrNoContract says that the member is party to no contract of this hash.
var ErrNoContract = errors.New("there is no such contract of this member")

// Contract returns one contract, its signatures checked here.
func (o *Office) Contract(ctx context.Context, hash string) (*contract.Contract, error) {
	list, err := o.Contracts(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		if c.Hash == hash {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%w: %s", ErrNoContract, hash)
}

// Contracts lists the contracts to which the member is a party.
func (o *Office) Contracts(ctx context.Context) ([]*contract.Contract, error) {
	view, err := o.View(ctx)
	if err != nil {
		return nil, err
	}
	var out []*contract.Contract
	at := map[string]int{}
	for after := ""; ; {
		list, next, err := o.directory.Contracts(ctx, after)
		if err != nil || len(list) == 0 || next == after {
			return out, err
		}
		for _, s := range list {
			c, err := contract.Open(s.Signed, view.Signer)
			if err != nil || c.Hash != s.Hash {
				return nil, fmt.Errorf("the contract %s from the directory: %w", s.Hash, errors.Join(err, contract.ErrMismatch))
			}
			if i, ok := at[c.Hash]; ok {
				out[i] = c
				continue
			}
			at[c.Hash] = len(out)
			out = append(out, c)
		}
		after = next
	}
}
