package app

import (
	"context"
	"encoding/asn1"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"diwan/internal/exchange/translog/stamp"
	"diwan/internal/gov"
	"diwan/internal/web"
)

// stampPath is where the exchange gives time stamps (RFC 3161 over HTTP).
const stampPath = "/tsa"

// openStamps opens the time-stamp authority of the exchange, if its settings name
// the rules that it follows. Its clock is the machine's, as the gateways' is.
func (a *App) openStamps(ctx context.Context) error {
	if a.Exchange == nil || a.Exchange.Settings().StampPolicy == "" {
		return nil
	}
	s := a.Exchange.Settings()
	policy, err := objectIdentifier(s.StampPolicy)
	if err != nil {
		return err
	}
	key, err := a.Keys.Signer(stampPurpose)
	if err != nil {
		return fmt.Errorf("the time-stamp authority: %w", err)
	}
	cert, err := a.Exchange.StampCertificate(ctx, key.Public(), s.StampName)
	if err != nil {
		return fmt.Errorf("the time-stamp authority: %w", err)
	}
	a.Stamps, err = stamp.NewAuthority(a.DB, stamp.AuthorityOptions{Certificate: cert, Key: key, Policy: policy, Now: gov.SystemClock{}.Now})
	return err
}

func objectIdentifier(text string) (asn1.ObjectIdentifier, error) {
	var id asn1.ObjectIdentifier
	for part := range strings.SplitSeq(text, ".") {
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil {
			return nil, fmt.Errorf("%q is not an object identifier", text)
		}
		id = append(id, int(n))
	}
	return id, nil
}

// stampRate is how many stamps a minute one address may have: a gateway asks once a
// minute, and each stamp is noted for good.
const stampRate = 120

// registerStamps mounts the authority: anybody may ask, for it learns a hash and
// says a time.
func (a *App) registerStamps(mux *http.ServeMux) {
	if a.Stamps != nil {
		mux.Handle(stampPath, web.NewRateLimit(stampRate, stampRate, a.clock.Now, a.Site.Fail).Wrap(a.Stamps))
	}
}
