package main

import (
	"context"
	"fmt"

	"diwan/internal/app"
)

var retrieveCommand = command{"retrieve", "--docs FILE --queries FILE", "rank a collection of texts for queries", nil}

const retrieveHelp = `rank a collection of texts for queries, with the product's own analysis and ranking

  documents are JSON, one a line: {"id": "…", "text": "…"}
  queries are JSON, one a line: {"id": "…", "text": "…"}
  a line of the run is the query, the document, the rank and the score, parted by tabs`

func retrieve(ctx context.Context, env environment, args []string) error {
	c := retrieveCommand
	c.about = retrieveHelp
	fs := flagSet(env, c)
	var r app.Retrieval
	fs.StringVar(&r.Docs, "docs", "", "file of the documents")
	fs.StringVar(&r.Queries, "queries", "", "file of the queries")
	fs.StringVar(&r.Lang, "lang", "fr", "language of the queries, ar or fr; the documents may be in the other")
	fs.StringVar(&r.Pairs, "pairs", "", "file of parallel texts to learn translations from, JSON with fr and ar, one pair a line")
	fs.StringVar(&r.Out, "out", "-", "file of the run; - is the standard output")
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if err := noArgs(rest); err != nil {
		return err
	}
	if r.Docs == "" || r.Queries == "" {
		return fmt.Errorf("%w: it needs --docs FILE and --queries FILE", errUsage)
	}
	if r.Lang != "ar" && r.Lang != "fr" {
		return fmt.Errorf("%w: --lang is ar or fr", errUsage)
	}
	result, err := app.Retrieve(ctx, r, env.stdout)
	if err != nil {
		return err
	}
	if r.Out != "-" {
		fmt.Fprintf(env.stdout, "%d queries over %d documents: %s\n", result.Queries, result.Docs, r.Out)
	}
	return nil
}
