// The program signin is a development OpenID Connect provider: it shows a list of
// invented people and signs in the one who is chosen, without a password. It shows
// what a site must be able to receive from a real provider, and proves nothing of
// anybody. It listens on this machine alone.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"diwan/examples/signin/provider"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := provider.Run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "signin:", err)
		os.Exit(1)
	}
}
