package check

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"diwan/protocol/oauth"
	"diwan/protocol/statuslist"
	"diwan/protocol/trustlist"
)

// Bounds of what is fetched.
const (
	maxFetched   = 32 << 20
	fetchTimeout = 10 * time.Second
)

// Fetcher gets lists over a transport, which decides which hosts can be reached at all:
// it must refuse private addresses where the installation has none to reach. Redirects
// are not followed, what is longer than 32 MiB or slower than ten seconds is refused, and
// addresses must be https, or http on this very machine.
func Fetcher(transport http.RoundTripper) Fetch {
	c := &http.Client{Transport: transport, Timeout: fetchTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return func(ctx context.Context, url string) ([]byte, string, error) {
		if err := oauth.CheckURL(url); err != nil {
			return nil, "", err
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, "", fmt.Errorf("fetching: %w", err)
		}
		r.Header.Set("Accept", statuslist.MediaJWT+", "+trustlist.MediaType+", application/json")
		res, err := c.Do(r)
		if err != nil {
			return nil, "", fmt.Errorf("fetching: %w", err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return nil, "", fmt.Errorf("fetching: the answer is %d", res.StatusCode)
		}
		b, err := io.ReadAll(io.LimitReader(res.Body, maxFetched+1))
		switch {
		case err != nil:
			return nil, "", fmt.Errorf("fetching: %w", err)
		case len(b) > maxFetched:
			return nil, "", fmt.Errorf("fetching: %w", errBody)
		}
		return b, res.Header.Get("Content-Type"), nil
	}
}
