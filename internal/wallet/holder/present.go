package holder

import (
	"context"
	"crypto"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"diwan/protocol/claimpath"
	"diwan/protocol/jws"
	"diwan/protocol/mdoc"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/dcql"
	"diwan/protocol/openid4/jwe"
	"diwan/protocol/openid4/vp"
	"diwan/protocol/sdjwt"
)

// PresentOptions narrow what may be shown.
type PresentOptions struct {
	// Documents may be shown, by their ids; none: all.
	Documents []string
	// Claims may be disclosed, by their names; none: all that is asked for. What the
	// issuer did not hide is always seen.
	Claims []string
}

// Plan is what would be shown.
type Plan struct {
	Question *Question
	Shows    []Show
}

// Show is one document that would be shown.
type Show struct {
	Query    string // the question that it answers
	Document *Document
	// Claims are those disclosed; none means only what can't be hidden.
	Claims []claimpath.Path
	// Standing is Valid, or Unknown where the status could not be had: the verifier will
	// ask for it as well.
	Standing Standing
	// Again tells that each copy was shown before: the verifiers could find out that
	// they saw the same document.
	Again bool
	bound bool
}

// Plan finds out how to answer: with what is asked for and no more, with documents that
// are valid. [ErrNothing] when there is no way; then nothing at all is to be shown.
func (w *Wallet) Plan(ctx context.Context, q *Question, o PresentOptions) (*Plan, error) {
	all, err := w.Store.List()
	if err != nil {
		return nil, err
	}
	var mine []*Document
	var have []dcql.Held
	var standings []Standing
	refused := error(nil)
	for _, d := range all {
		if d.Pending != nil || !among(o.Documents, d.ID) || !asked(q, d) {
			continue
		}
		c, err := d.Content()
		if err != nil {
			return nil, fmt.Errorf("document %s: %w", d.ID, err)
		}
		s, _ := w.Standing(ctx, d) // why it is unknown is for the verifier to find out
		if s != Valid && s != Unknown {
			refused = fmt.Errorf("%w: document %s is %s", ErrInvalid, d.ID, s)
			continue
		}
		mine, standings = append(mine, d), append(standings, s)
		have = append(have, dcql.Held{Format: d.Format, Types: []string{d.Type}, Claims: narrowed(d, c, o.Claims), AuthorityKeys: openid4.AuthorityKeys(c.Chain), Bound: true})
	}
	choices, err := q.Request.Query.Evaluate(have).Default()
	if err != nil && refused != nil {
		return nil, refused
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNothing, err)
	}
	p := &Plan{Question: q}
	for _, c := range choices {
		for _, m := range c.Matches {
			d := mine[m.Held]
			p.Shows = append(p.Shows, Show{Query: c.ID, Document: d, Claims: m.Claims, Standing: standings[m.Held], Again: d.fresh().Shown > 0, bound: q.Request.Query.Credential(c.ID).Bound()})
		}
	}
	return p, nil
}

func among(ids []string, id string) bool {
	return len(ids) == 0 || slices.ContainsFunc(ids, func(x string) bool { return x != "" && strings.HasPrefix(id, x) })
}

// asked tells whether a document is of a kind that is asked for, so that the status of
// others is not asked after.
func asked(q *Question, d *Document) bool {
	return slices.ContainsFunc(q.Request.Query.Credentials, func(c dcql.Credential) bool {
		return c.Format == d.Format && (slices.Contains(c.Meta.VCT, d.Type) || c.Meta.Doctype == d.Type)
	})
}

// narrowed are the claims of a document without those that may not be disclosed: what
// is not there can't be chosen to be shown.
func narrowed(d *Document, c *Content, may []string) any {
	if len(may) == 0 {
		return c.Claims
	}
	out := map[string]any{}
	if d.Format == openid4.MDoc {
		for space, v := range c.Claims {
			m, _ := v.(map[string]any)
			m = maps.Clone(m)
			maps.DeleteFunc(m, func(name string, _ any) bool { return !slices.Contains(may, name) })
			out[space] = m
		}
		return out
	}
	hidden := map[string]bool{}
	if t, err := sdjwt.Parse(d.Copies[0].Value, jws.Want{}); err == nil {
		for _, x := range t.Disclosures {
			if name, ok := x.Path[0].(string); ok {
				hidden[name] = true
			}
		}
	}
	for name, v := range c.Claims {
		if !hidden[name] || slices.Contains(may, name) {
			out[name] = v
		}
	}
	return out
}

// Present shows what a plan says. The copies that were shown are marked before they
// leave: it is better to hold one for used that was not than the other way.
func (w *Wallet) Present(ctx context.Context, p *Plan) (*vp.Receipt, error) {
	r := p.Question.Request
	tokens := vp.Tokens{}
	for _, s := range p.Shows {
		text, err := w.show(s, r)
		if err != nil {
			return nil, fmt.Errorf("document %s: %w", s.Document.ID, err)
		}
		tokens[s.Query] = append(tokens[s.Query], text)
		s.Document.Shown = append(s.Document.Shown, Shown{At: w.now().UTC().Truncate(time.Second), To: r.ClientID, Host: p.Question.Host, Claims: s.Claims})
		if n := len(s.Document.Shown); n > maxShown {
			s.Document.Shown = s.Document.Shown[n-maxShown:]
		}
		if err := w.Store.Put(s.Document); err != nil {
			return nil, err
		}
	}
	form, err := r.Answer(tokens)
	if err != nil {
		return nil, fmt.Errorf("answering: %w", err)
	}
	return w.answer(ctx, r, form)
}

// show makes the presentation of one document and marks its copy.
func (w *Wallet) show(s Show, r *vp.Request) (string, error) {
	c := s.Document.fresh()
	key, err := readKey(c.Key)
	if err != nil {
		return "", err
	}
	c.Shown++
	if s.Document.Format == openid4.MDoc {
		return showMDoc(c.Value, key, s.Claims, r)
	}
	t, err := sdjwt.Parse(c.Value, jws.Want{})
	if err != nil {
		return "", err
	}
	if t, err = t.Present(s.Claims...); err != nil {
		return "", err
	}
	if !s.bound {
		return t.String(), nil
	}
	return t.Bind(key, sdjwt.Proof{Audience: r.ClientID, Nonce: r.Nonce, IssuedAt: w.now()})
}

func showMDoc(value string, key crypto.Signer, claims []claimpath.Path, r *vp.Request) (string, error) {
	in, err := parseMDoc(value)
	if err != nil {
		return "", err
	}
	var names []mdoc.Name
	for _, p := range claims {
		space, ok := p[0].(string)
		if len(p) != 2 || !ok {
			return "", fmt.Errorf("%w: the path %s", ErrNothing, p)
		}
		name, ok := p[1].(string)
		if !ok {
			return "", fmt.Errorf("%w: the path %s", ErrNothing, p)
		}
		names = append(names, mdoc.Name{NameSpace: space, Identifier: name})
	}
	var thumbprint []byte
	if k := r.EncryptionKey(); k != nil {
		if thumbprint, err = jwe.Thumbprint(k); err != nil {
			return "", err
		}
	}
	transcript, err := mdoc.Transcript(r.ClientID, r.Nonce, thumbprint, r.ResponseURI)
	if err != nil {
		return "", err
	}
	b, err := in.Present(names, key, transcript)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}
