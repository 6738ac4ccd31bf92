package main

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"

	"diwan/internal/retrieval"
	"diwan/internal/retrieval/evaluation"
)

// How the weights are fitted: candidates of a query, penalty, rounds.
const (
	frenchDepth, frenchL2, frenchRounds = 20, .003, 150
	devL2, devRounds                    = .0005, 120
)

// frenchFeatures are few on purpose. Sheets are long and begin with their title
// in other words: what their first words and their coverage are worth does not
// hold for other texts, and made the ranking of those worse.
var frenchFeatures = []string{"stem", "gram4", "calls", "length"}

// fitWeights writes data/weights.txt. The French ones come from the sheets
// alone, so that no development set of that language was seen; the Arabic and
// crossing ones from the development sets.
func fitWeights(sheets, dev, out string) error {
	if sheets == "" || dev == "" {
		return fmt.Errorf("the weights need both -sheets and -dev")
	}
	var b bytes.Buffer
	b.WriteString("# Fitted by internal/retrieval/train; see README.md.\n")
	if err := evaluation.FitDev(dev, devL2, devRounds, &b); err != nil {
		return err
	}
	all, err := readSheets(sheets)
	if err != nil {
		return err
	}
	if err := fitFrench(all, &b); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "weights.txt"), b.Bytes(), 0o644)
}

// half puts a sheet in one of two halves.
func half(sheet string) int {
	h := fnv.New32a()
	h.Write([]byte(sheet))
	return int(h.Sum32() & 1)
}

// fitFrench fits the French weights with titles as the questions and the parts
// they head as the answers. What words call for which is learned on one half of
// the sheets for the questions of the other: a table knows its own sheets by
// heart, and its feature would seem better than it is.
func fitFrench(all []section, b *bytes.Buffer) error {
	var calls [2]retrieval.Calls
	for h := range calls {
		var part []section
		for _, s := range all {
			if half(s.sheet) != h {
				part = append(part, s)
			}
		}
		calls[h] = retrieval.NewCalls(learn(part))
	}
	lesson := retrieval.Lesson{Collection: retrieval.NewCollection(), Mode: "french"}
	var pool []section
	for _, s := range all {
		if asked(s) {
			pool = append(pool, s)
			lesson.Collection.Add("", s.text)
		}
	}
	var examples []retrieval.Example
	plain := 0
	for i, s := range pool {
		if s.heading != "" && !strings.Contains(s.heading, "?") {
			// Headings that are no questions are many; a quarter is enough.
			if plain++; plain%4 != 0 {
				continue
			}
		}
		e, ok, err := lesson.Example(retrieval.PrepareWith(question(s), calls[half(s.sheet)]), frenchDepth, func(d int) bool {
			return d == i || pool[d].title == s.title && pool[d].heading == s.heading
		})
		if err != nil {
			return err
		}
		if ok {
			examples = append(examples, e)
		}
	}
	fmt.Printf("%d texts, %d questions\n", len(pool), len(examples))
	for i := range examples {
		examples[i].Keep(frenchFeatures...)
	}
	return lesson.Write(b, retrieval.Fit(examples, lesson.Start(), frenchL2, frenchRounds))
}

// asked reports sections of the size of an answer that a title asks for.
func asked(s section) bool {
	return len(s.text) < 3000 && (s.kind == "Chapitre" || s.heading == "" && strings.HasPrefix(s.kind, "Fiche Question"))
}

func question(s section) string {
	if s.heading == "" {
		return s.title
	}
	return s.title + " : " + s.heading
}
