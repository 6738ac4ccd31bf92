package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// profileTime is how long each mode is loaded for its profiles.
const profileTime = 15 * time.Second

// profile loads each mode alone and writes where the time of its gateways goes:
// MEMBER.cpu and MEMBER.allocs, for go tool pprof.
func (r *exchangeRun) profile(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for i, p := range []*gatewayPair{r.batch, r.message} {
		var found turns
		var wg sync.WaitGroup
		errs := make([]error, 3)
		for k, g := range []*gatewayProcess{p.asks, p.answers} {
			wg.Go(func() {
				errs[k] = errors.Join(g.save(ctx, dir, "profile?seconds="+fmt.Sprint(int(profileTime.Seconds())), "cpu"), g.save(ctx, dir, "allocs", "allocs"))
			})
		}
		errs[2] = r.variants[i+1].turn(ctx, exchangeConnections, profileTime, &found)
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
		fmt.Printf("%s, with a profile: %.0f answers/s, CPU %.0f / %.0f µs\n", r.variants[i+1].name, found.rate[0], found.perAnswer(0), found.perAnswer(1))
	}
	return nil
}

// save writes one profile to a file.
func (g *gatewayProcess) save(ctx context.Context, dir, what, kind string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.profile+"/"+what, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, strings.ReplaceAll(g.member, "/", "-")+"."+kind), b, 0o600)
}
