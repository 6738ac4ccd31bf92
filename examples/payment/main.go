// The program payment is a test provider of payments: it shows a page with two
// buttons, pay and refuse, takes no money of anybody, and tells the site what was
// chosen in a sealed message. It shows what a site must be able to receive from a
// real provider. It listens on this machine alone.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"diwan/examples/payment/provider"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := provider.Run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "payment:", err)
		os.Exit(1)
	}
}
