package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"diwan/examples/agencies/serve"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve.Run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "agencies:", err)
		os.Exit(1)
	}
}
