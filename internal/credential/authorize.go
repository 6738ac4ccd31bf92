package credential

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4/vci"
)

// OwnClient is the wallet of this installation, and CommandClient the one on the
// command line. Both say who they are without proof where no attestation is required:
// what protects the person is that they decide on a page of ours where it goes.
const (
	OwnClient     = "diwan-wallet"
	CommandClient = "diwan-command"
)

// redirectFits tells whether a client may have people sent to an address. One that is
// attested may name any that a browser keeps to itself; others have theirs written
// here.
func (s *Credentials) redirectFits(client, address string, attested bool) bool {
	u, err := url.Parse(address)
	if err != nil || u.Fragment != "" || u.User != nil {
		return false
	}
	switch {
	case client == OwnClient:
		return address == s.Base+"/wallet/"
	case client == CommandClient:
		ip := net.ParseIP(u.Hostname())
		return u.Scheme == "http" && ip != nil && ip.IsLoopback()
	case attested:
		return u.Scheme == "https" && u.Host != "" || strings.Contains(u.Scheme, ".") // a claimed address, or a private scheme (RFC 8252 §7.1)
	}
	return false
}

// push answers POST /issue/par (RFC 9126).
func (h *issuerHTTP) push(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if err := form(w, r); err != nil {
		h.oauthError(w, err)
		return
	}
	req, err := oauth.ReadPush(r.PostForm)
	var c *caller
	if err == nil {
		c, err = h.caller(r, pathPush, req.ClientID, "")
	}
	if err == nil && !h.redirectFits(req.ClientID, req.RedirectURI, c.client != nil) {
		err = fmt.Errorf("%w: the client is not known with this redirect_uri", oauth.InvalidClient)
	}
	var types []string
	if err == nil {
		types, err = h.wanted(r.Context(), req)
	}
	if err != nil {
		h.oauthError(w, err)
		return
	}
	if c.dpop != nil {
		req.DPoPThumbprint = c.dpop.Thumbprint
	}
	uri := oauth.NewRequestURI()
	g := &grant{id: gov.NewID(), kind: pushed, ends: h.Clock.Now().Add(pushedLife), body: granted{Request: req, Types: types}}
	if c.client != nil {
		g.body.Copy, g.body.Client = c.client.Thumbprint, c.client.ID
	}
	var refused error
	err = h.joint.Do(r.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
		if refused, err = c.seen.keep(ctx, tx); err != nil || refused != nil {
			return errors.Join(err, refused)
		}
		return h.insertGrant(ctx, tx, g, digest(uri))
	})
	if refused != nil {
		err = refused
	}
	if err != nil {
		h.oauthError(w, err)
		return
	}
	h.freshNonce(w)
	writeJSON(w, http.StatusCreated, oauth.PushResponse{RequestURI: uri, ExpiresIn: int(pushedLife / time.Second)})
}

// wanted are the configurations that a request is for, by scope or by details.
func (s *Credentials) wanted(ctx context.Context, r *oauth.AuthorizationRequest) ([]string, error) {
	ids := strings.Fields(r.Scope)
	if r.Details != "" {
		more, err := configurationsOf(r.Details)
		if err != nil {
			return nil, err
		}
		ids = append(ids, more...)
	}
	var out []string
	for _, id := range ids {
		kind, format, err := readConfiguration(id)
		if err != nil {
			continue // a scope of something else is ignored (RFC 6749 §3.3)
		}
		t, err := s.Type(ctx, kind)
		if err != nil || !contains(t.Formats(), format) || contains(out, id) {
			continue
		}
		out = append(out, id)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: no credential of this issuer is asked for", oauth.InvalidScope)
	}
	return out, nil
}

// configurationsOf reads the configurations that authorization_details name.
func configurationsOf(details string) (ids []string, err error) {
	all, err := vci.ParseDetails([]byte(details), "")
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		ids = append(ids, d.Configuration)
	}
	return ids, nil
}

// Request is a wallet's wish to receive documents, as the person sees it.
type Request struct {
	ID       string
	Client   string
	Redirect string
	Attested bool
	Types    []*Type
	Ends     time.Time
}

var errNoRequest = problem.New(problem.NotFound, "credential.request")

// Open takes a pushed request to the page on which a person decides: once, so that an
// address that was seen by somebody else opens nothing.
func (s *Credentials) Open(ctx context.Context, clientID, uri string) (string, error) {
	now, id := s.Clock.Now(), ""
	err := s.DB.RunTx(ctx, func(tx *db.Tx) error {
		g, err := readGrant(ctx, tx, `code = $1 AND code <> ''`, digest(uri))
		if errors.Is(err, errNoGrant) || err == nil && (g.kind != pushed || g.state != grantOpen || g.body.Request.ClientID != clientID || !now.Before(g.ends)) {
			return errNoRequest
		}
		if err != nil {
			return err
		}
		id = g.id
		_, err = tx.ExecContext(ctx, `UPDATE credential_grant SET code = '', ends_at = $2 WHERE id = $1`, g.id, db.Micros(now.Add(pageLife)))
		return err
	})
	return id, err
}

// Wish returns a request that was opened.
func (s *Credentials) Wish(ctx context.Context, id string) (*Request, error) {
	g, err := readGrant(ctx, s.DB.Reader(), `id = $1`, id)
	if errors.Is(err, errNoGrant) || err == nil && (g.kind != pushed || g.state != grantOpen || !s.Clock.Now().Before(g.ends)) {
		return nil, errNoRequest
	}
	if err != nil {
		return nil, err
	}
	r := &Request{ID: g.id, Client: g.body.Request.ClientID, Redirect: g.body.Request.RedirectURI, Attested: g.body.Copy != "", Ends: g.ends}
	for _, c := range g.body.Types {
		id, _, err := readConfiguration(c)
		if err != nil {
			return nil, err
		}
		t, err := s.Type(ctx, id)
		if err != nil {
			return nil, err
		}
		r.Types = append(r.Types, t)
	}
	return r, nil
}

// Answer is the person's decision on a request: it returns where their browser goes.
func (s *Credentials) Answer(ctx context.Context, actor gov.Actor, id string, yes bool) (string, error) {
	if actor.Public() {
		return "", problem.New(problem.Unauthenticated, "unauthenticated")
	}
	code, now := newSecret(), s.Clock.Now()
	back := oauth.AuthorizationResponse{Issuer: s.Base}
	redirect := ""
	err := s.DB.RunTx(ctx, func(tx *db.Tx) error {
		g, err := readGrant(ctx, tx, `id = $1`, id)
		if errors.Is(err, errNoGrant) || err == nil && (g.kind != pushed || g.state != grantOpen || !now.Before(g.ends)) {
			return errNoRequest
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE credential_grant SET state = $2 WHERE id = $1`, g.id, grantUsed); err != nil {
			return err
		}
		back.State, redirect = g.body.Request.State, g.body.Request.RedirectURI
		if !yes {
			back.Err = oauth.ErrorResponse{Code: oauth.AccessDenied}
			return nil
		}
		back.Code = code
		next := &grant{id: gov.NewID(), kind: authorized, ends: now.Add(codeLife), body: g.body}
		next.body.Person = actor.ID
		return s.insertGrant(ctx, tx, next, digest(code))
	})
	if err != nil {
		return "", err
	}
	return back.URL(redirect)
}
