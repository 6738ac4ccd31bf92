package gateway

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"diwan/internal/exchange/contract"
	"diwan/internal/exchange/journal"
	"diwan/internal/exchange/snapshot"
	"diwan/internal/exchange/translog"
	"diwan/protocol/link"
	"diwan/protocol/xroad"
)

// The checks of evidence beside those of a log's bundle, in the order in which
// they are made.
const (
	// StepFormat: the file is of a known format and within bounds.
	StepFormat = "format"
	// StepDirectory: the directory in the file is signed by a key that is trusted.
	StepDirectory = "directory"
	// StepMembers: what is said of each member is what that directory says.
	StepMembers = "members"
	// StepParties: request and answer are signed by the members that they name.
	StepParties = "parties"
	// StepPair: the answer is one to exactly this request.
	StepPair = "pair"
	// StepBody: the whole of a body that was sent in pieces is signed by who sent
	// the message.
	StepBody = "body"
	// StepContract: a contract that both had signed and that held then allowed it.
	StepContract = "contract"
)

// What a step is about.
const (
	OfExchange = ""
	OfRequest  = "request"
	OfAnswer   = "answer"
	OfRefusal  = "refusal"
	OfBody     = "body"
)

// Step is one check; Of says of what.
type Step struct {
	Of string `json:"of,omitempty"`
	translog.Check
}

// EvidenceReport is what came of checking evidence.
type EvidenceReport struct {
	Proven  bool   `json:"proven"`
	Member  string `json:"member"`
	Request string `json:"request_id"`
	// What is proven, as far as it is: who asked whom for what and when.
	Asks     string    `json:"asks,omitempty"`
	Answers  string    `json:"answers,omitempty"`
	Client   string    `json:"client,omitempty"`
	Service  string    `json:"service,omitempty"`
	Method   string    `json:"method,omitempty"`
	Path     string    `json:"path,omitempty"`
	Status   int       `json:"status,omitempty"`
	Refused  string    `json:"refused,omitempty"`
	AskedAt  time.Time `json:"asked_at,omitzero"`
	Answered time.Time `json:"answered_at,omitzero"`
	Steps    []Step    `json:"checks"`
}

// EvidenceTrust is what a reader believes beforehand.
type EvidenceTrust struct {
	DirectoryKeys [][]byte // PKIX
	// Witnesses is how many must have cosigned; NeedStamp asks for a time stamp.
	Witnesses int
	NeedStamp bool
}

// evidenceCheck goes through one file.
type evidenceCheck struct {
	ev      *Evidence
	t       EvidenceTrust
	r       *EvidenceReport
	view    *snapshot.View
	request *spoken
	answer  *spoken
	bodies  []*spoken // ends of bodies that were sent in pieces
	head    xroad.RequestHead
	target  xroad.Target
	back    xroad.ResponseHead
}

// CheckEvidence makes all checks on a file. Nothing in it is believed for being
// there.
func CheckEvidence(ev *Evidence, t EvidenceTrust) *EvidenceReport {
	c := &evidenceCheck{ev: ev, t: t, r: &EvidenceReport{Member: ev.Member, Request: ev.Request, Steps: []Step{}}}
	if c.format() && c.directory() && c.members() {
		for _, b := range ev.Records {
			c.record(b)
		}
		c.body(c.request)
		c.body(c.answer)
		c.parties()
		c.pair()
		c.contract()
	}
	c.r.Proven = len(c.r.Steps) > 0 && !slices.ContainsFunc(c.r.Steps, func(s Step) bool { return s.Outcome == translog.Failed || s.Outcome == translog.Skipped })
	return c.r
}

func (c *evidenceCheck) step(of, code string, err error, facts ...translog.Fact) bool {
	k := translog.Check{Code: code, Outcome: translog.Passed, Facts: facts}
	if err != nil {
		k.Outcome, k.Detail = translog.Failed, err.Error()
	}
	c.r.Steps = append(c.r.Steps, Step{of, k})
	return err == nil
}

func (c *evidenceCheck) format() bool {
	var err error
	if c.ev.Format != EvidenceFormat {
		err = ErrEvidence
	} else if n := len(c.ev.Records); n == 0 || n > maxRecordsOf || len(c.ev.Parts) > 256 {
		err = errors.New("a part is missing or out of bounds")
	}
	return c.step(OfExchange, StepFormat, err, translog.Fact{Name: "format", Value: c.ev.Format[:min(len(c.ev.Format), 64)]})
}

func (c *evidenceCheck) directory() bool {
	x, err := snapshot.Open([]byte(c.ev.Index), c.t.DirectoryKeys)
	if err != nil {
		return c.step(OfExchange, StepDirectory, err)
	}
	c.view = &snapshot.View{Index: x}
	return c.step(OfExchange, StepDirectory, nil, translog.Fact{Name: "instance", Value: x.Instance}, translog.Fact{Name: "serial", Value: strconv.FormatInt(x.Serial, 10)},
		translog.Fact{Name: "issued_at", Value: stamped(x.IssuedAt)})
}

func (c *evidenceCheck) members() bool {
	x := c.view.Index
	parts := map[string]*snapshot.Member{}
	var names []string
	for id, b := range c.ev.Parts {
		m, err := snapshot.OpenPart(b, id, x.Members[id])
		if err != nil {
			return c.step(OfExchange, StepMembers, err)
		}
		parts[id] = m
		names = append(names, id)
	}
	view, err := snapshot.NewView(x, parts)
	if err == nil && parts[c.ev.Member] == nil {
		err = fmt.Errorf("the member %s, whose journal this is, is not in the file", c.ev.Member)
	}
	c.view = view
	slices.Sort(names)
	return c.step(OfExchange, StepMembers, err, translog.Fact{Name: "members", Value: strings.Join(names, " ")})
}

// record checks one record with its place in the log.
func (c *evidenceCheck) record(b *translog.Bundle) {
	var s *spoken
	trust := translog.Trust{Log: c.view.Members[c.ev.Member].Log, Witnesses: witnessKeys(c.view, c.ev.Member), Need: c.t.Witnesses, Stamps: stampTrust(c.view), NeedStamp: c.t.NeedStamp,
		Record: func(record []byte) ([]translog.Fact, error) {
			e, err := journal.ParseRecord(record)
			if err != nil {
				return nil, err
			}
			if s, err = readSpoken(e, c.view); err == nil && s.id != c.ev.Request {
				err = fmt.Errorf("the record is of the exchange %s", s.id)
			}
			return s.facts(), err
		}}
	checks := translog.Verify(b, trust)
	of := OfRefusal
	if s != nil && s.refusal == "" {
		of = OfRequest
		switch s.kind {
		case link.KindResponse:
			of = OfAnswer
		case link.KindChunk:
			of = OfBody
		}
	}
	for _, k := range checks {
		c.r.Steps = append(c.r.Steps, Step{of, k})
	}
	c.keep(of, s)
}

func (c *evidenceCheck) keep(of string, s *spoken) {
	switch {
	case s == nil:
	case of == OfRequest && c.request == nil:
		c.request = s
		c.r.Asks, c.r.AskedAt = s.signer, s.created
	case of == OfAnswer && c.answer == nil:
		c.answer = s
		c.r.Answers, c.r.Answered = s.signer, s.created
	case of == OfBody:
		c.bodies = append(c.bodies, s)
	case of == OfRefusal:
		c.r.Refused = s.refusal
	}
}

// body finds the end of a body that was sent in pieces: it holds the digest of the
// whole.
func (c *evidenceCheck) body(s *spoken) {
	if s == nil || s.env == nil || !s.env.Streamed() {
		return
	}
	for _, b := range c.bodies {
		if b.sent != s.sent || !b.env.Final() {
			continue
		}
		var err error
		if b.signer != s.signer {
			err = errWho(b.signer, s.signer)
		} else {
			s.body, s.hasBody = b.body, true
		}
		c.step(OfBody, StepBody, err, translog.Fact{Name: "body_sha512", Value: hex.EncodeToString(b.body[:])})
		return
	}
	c.r.Steps = append(c.r.Steps, Step{OfBody, translog.Check{Code: StepBody, Outcome: translog.Absent, Detail: "the end of the body is not in the journal"}})
}

// parties holds what request and answer say to who signed them.
func (c *evidenceCheck) parties() {
	if c.request == nil {
		c.r.Steps = append(c.r.Steps, Step{OfExchange, translog.Check{Code: StepParties, Outcome: translog.Skipped}})
		return
	}
	var err error
	if c.head, err = xroad.ParseRequestHead(c.request.head); err == nil {
		c.target, err = xroad.ParseTarget(c.head.Target)
	}
	if err != nil {
		c.step(OfExchange, StepParties, err)
		return
	}
	client, err := xroad.ParseClientID(c.head.Get(xroad.HeaderClient))
	if err == nil && client.MemberID().String() != c.request.signer {
		err = errWho(c.request.signer, client.MemberID().String())
	}
	c.r.Client, c.r.Service, c.r.Method, c.r.Path = client.String(), c.target.Service.String(), c.head.Method, c.target.ServicePath
	if c.answer != nil && err == nil {
		if want := c.target.Service.Provider.MemberID().String(); c.answer.signer != want {
			err = errWho(c.answer.signer, want)
		} else if c.back, err = xroad.ParseResponseHead(c.answer.head); err == nil {
			c.r.Status = c.back.Status
		}
	}
	c.step(OfExchange, StepParties, err, translog.Fact{Name: "asks", Value: c.request.signer}, translog.Fact{Name: "answers", Value: c.r.Answers})
}

// pair holds the answer to its request.
func (c *evidenceCheck) pair() {
	if c.request == nil || c.answer == nil {
		c.r.Steps = append(c.r.Steps, Step{OfExchange, translog.Check{Code: StepPair, Outcome: translog.Absent, Detail: "there is no answer in the journal"}})
		return
	}
	var err error
	hash := ""
	if c.request.hasBody {
		body := &c.request.body
		if *body == sha512.Sum512(nil) {
			body = nil
		}
		hash = xroad.RequestHash(sha512.Sum512(c.request.head), body)
	}
	switch got := c.back.Get(xroad.HeaderRequestHash); {
	case c.request.sent == c.answer.sent:
		err = errors.New("request and answer went the same way")
	case (c.request.env == nil) != (c.answer.env == nil):
		err = errors.New("request and answer came by two profiles")
	case c.request.env != nil && *c.answer.env.Bind() != c.request.env.Hash():
		err = errors.New("the answer was signed for another request")
	case c.request.env == nil && !bytes.Contains(c.answer.base, []byte(base64.StdEncoding.EncodeToString(c.request.signature))):
		err = errors.New("the answer was signed for another request")
	case hash != "" && got != "" && got != hash:
		err = errors.New("the answer names another request by its hash")
	}
	c.step(OfExchange, StepPair, err, translog.Fact{Name: "request_hash", Value: hash})
}

// contract checks that the exchange was allowed when it took place.
func (c *evidenceCheck) contract() {
	named := c.back.Get(contractHeader)
	switch {
	case c.ev.Contract == nil && named == "":
		c.r.Steps = append(c.r.Steps, Step{OfExchange, translog.Check{Code: StepContract, Outcome: translog.Absent, Detail: "the answer names no contract"}})
		return
	case c.ev.Contract == nil:
		c.step(OfExchange, StepContract, fmt.Errorf("the contract %s is not in the file", named))
		return
	}
	k, err := contract.Open(*c.ev.Contract, c.view.Signer)
	if err != nil {
		c.step(OfExchange, StepContract, err)
		return
	}
	if k.Hash != named {
		err = fmt.Errorf("the answer names the contract %s", named)
	} else {
		err = c.allowed(k)
	}
	c.step(OfExchange, StepContract, err, translog.Fact{Name: "contract", Value: k.Hash}, translog.Fact{Name: "parties", Value: strings.Join(k.Parties(), " ")},
		translog.Fact{Name: "until", Value: stamped(time.Unix(k.Validity.NotAfter, 0))})
}

// allowed asks the contract as it stood when the request was received. A contract
// that was revoked later stood then.
func (c *evidenceCheck) allowed(k *contract.Contract) error {
	at := c.request.created
	then := *k
	then.Signatures = slices.DeleteFunc(slices.Clone(k.Signatures), func(s contract.Signature) bool { return s.SignedAt.After(at.Add(maxClockSkew)) })
	if st := then.State(at); st != contract.Live {
		return fmt.Errorf("the contract was %s then", st)
	}
	permits, err := then.Permits()
	if err != nil {
		return err
	}
	path, err := xroad.ParsePath(c.target.ServicePath)
	if err != nil {
		return err
	}
	for _, p := range permits {
		if p.Client == c.r.Client && p.Service == c.r.Service && p.Allows(c.head.Method, path, at) {
			return nil
		}
	}
	return errors.New("no grant of the contract allows this")
}
