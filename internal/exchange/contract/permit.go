package contract

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"diwan/protocol/xroad"
)

// Permit is one grant made ready to be enforced.
type Permit struct {
	Contract   string // content hash
	Grant      string // grant hash
	Client     string
	Service    string
	Delegator  string // member on whose behalf the client asks, or ""
	KeyPrint   string // of the member that asks
	From       time.Time
	Until      time.Time
	Filter     *Filter // nil leaves answers as they are
	Properties *Properties

	rules []xroad.Rule
}

// Permits makes the grants of a contract ready. It does not ask whether the
// contract is live: that changes with time and signatures.
func (c *Contract) Permits() ([]Permit, error) {
	hashes, err := GrantHashes(c.Raw)
	if err != nil {
		return nil, err
	}
	out := make([]Permit, 0, len(c.Grants))
	for i := range c.Grants {
		d := &c.Grants[i].Data
		p := Permit{Contract: c.Hash, Grant: hashes[i], Client: d.Properties.Client, Service: d.Properties.Service, KeyPrint: d.Outway.PublicKeyThumbprint,
			From: time.Unix(c.Validity.NotBefore, 0), Until: time.Unix(c.Validity.NotAfter, 0), Filter: NewFilter(d.Properties.Fields), Properties: &d.Properties}
		if d.Delegator != nil {
			p.Delegator = d.Delegator.PeerID
		}
		for _, o := range d.Properties.Operations {
			r, err := o.rule()
			if err != nil {
				return nil, err
			}
			p.rules = append(p.rules, r)
		}
		out = append(out, p)
	}
	return out, nil
}

func (o Operation) rule() (xroad.Rule, error) {
	if o.Method != "*" && !xroad.ValidMethod(o.Method) {
		return xroad.Rule{}, fmt.Errorf("method %q", o.Method)
	}
	if len(o.Path) > xroad.MaxPattern {
		return xroad.Rule{}, errors.New("a pattern is too long")
	}
	g, err := xroad.ParseGlob(o.Path)
	return xroad.Rule{Method: o.Method, Path: g}, err
}

// Allows tells whether the permit covers a request at a moment.
func (p *Permit) Allows(method string, path xroad.Path, now time.Time) bool {
	if now.Before(p.From) || !now.Before(p.Until) {
		return false
	}
	return slices.ContainsFunc(p.rules, func(r xroad.Rule) bool { return r.Allows(method, path) })
}

// Follows tells whether the permit covers an event type at a moment.
func (p *Permit) Follows(event string, now time.Time) bool {
	return !now.Before(p.From) && now.Before(p.Until) && slices.Contains(p.Properties.Events, event)
}
