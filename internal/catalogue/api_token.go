package catalogue

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
)

// pageToken says where a list goes on. Lists in the order of ids go on after an
// id, so that nothing is lost or shown twice when things come and go between two
// pages; results of a search go on at a position. It is bound to the filters it
// was made for, and opaque: programs must not build one.
type pageToken struct {
	revision int64 // of the page before, for reference
	after    string
	offset   int
	filters  string // digest
}

// The bounds of a token and of the position it may name.
const (
	maxToken       = 400
	maxTokenOffset = 10_000
)

func (t pageToken) String() string {
	s := strings.Join([]string{"1", strconv.FormatInt(t.revision, 36), strconv.Itoa(t.offset), t.filters, t.after}, "|")
	return base64.RawURLEncoding.EncodeToString([]byte(s))
}

// parsePageToken reads a token; ok is false for anything that String does not
// write.
func parsePageToken(s string) (t pageToken, ok bool) {
	if len(s) > maxToken {
		return t, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return t, false
	}
	parts := strings.SplitN(string(b), "|", 5)
	if len(parts) != 5 || parts[0] != "1" {
		return t, false
	}
	rev, err1 := strconv.ParseInt(parts[1], 36, 64)
	offset, err2 := strconv.Atoi(parts[2])
	if err1 != nil || err2 != nil || rev < -1 || offset < 0 || offset > maxTokenOffset {
		return t, false
	}
	t = pageToken{rev, parts[4], offset, parts[3]}
	return t, t.String() == s
}

// digestOf names a set of filters in few letters.
func digestOf(filters url.Values) string {
	sum := sha256.Sum256([]byte(filters.Encode()))
	return hex.EncodeToString(sum[:6])
}

// token reads page_token, which must have been made for these filters. A token
// of an earlier revision is as good as a new one.
func (p *params) token(filters url.Values) pageToken {
	v := p.values.Get("page_token")
	if v == "" {
		return pageToken{}
	}
	t, ok := parsePageToken(v)
	switch {
	case !ok:
		p.fault("page_token", "api.page_token")
	case t.filters != digestOf(filters):
		p.fault("page_token", "api.page_token_other")
	default:
		return t
	}
	return pageToken{}
}
