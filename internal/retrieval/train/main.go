// Command train makes the tables of internal/retrieval/data from the sheets of
// the French administration; see data/README.md.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"diwan/internal/retrieval"
)

func main() {
	sheets := flag.String("sheets", "", "folder with the sheets, in folders by audience")
	locales := flag.String("locales", "", "folder of the CLDR names")
	annotations := flag.String("annotations", "", "folder of the CLDR annotations")
	dev := flag.String("dev", "", "folder of the development sets, for the weights")
	tables := flag.Bool("tables", true, "make the tables from the sheets again")
	out := flag.String("out", "internal/retrieval/data", "folder of the tables")
	flag.Parse()
	var err error
	if *sheets != "" && *tables {
		err = fromSheets(*sheets, *out)
	}
	if err == nil && *locales != "" {
		err = names(*locales, *annotations, *out)
	}
	if err == nil && (*sheets != "" || *dev != "") {
		err = fitWeights(*sheets, *dev, *out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func fromSheets(sheets, out string) error {
	start := time.Now()
	all, err := readSheets(sheets)
	if err != nil {
		return err
	}
	fmt.Printf("%d sections in %v\n", len(all), time.Since(start).Round(time.Millisecond))
	table := learn(all)
	fmt.Printf("%d translations in %v\n", len(table), time.Since(start).Round(time.Millisecond))
	data, err := retrieval.PackTranslations(table)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "questions-fr.bin.br"), data, 0o644); err != nil {
		return err
	}
	words, err := retrieval.PackWords(countWords(all))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "words-fr.txt.br"), words, 0o644)
}

// learn estimates which words of a text call for which words of a question:
// a title, alone or with the heading of a part, is the question.
func learn(all []section) []retrieval.Translation {
	var pairs []retrieval.Pair
	for _, s := range all {
		pairs = append(pairs, retrieval.Pair{From: retrieval.Stems(s.text), To: retrieval.Stems(s.title + " " + s.heading)})
	}
	fmt.Printf("%d pairs\n", len(pairs))
	return retrieval.Learn(pairs, 6, .02)
}

// countWords counts the written forms of all sheets, without accents.
func countWords(all []section) map[string]int {
	n := map[string]int{}
	for _, s := range all {
		if s.heading != "" {
			continue
		}
		for _, w := range retrieval.Forms(s.title + "\n" + s.text) {
			n[w]++
		}
	}
	return n
}

// names writes the table of names.
func names(locales, annotations, out string) error {
	pairs, err := readNames(locales, annotations)
	if err != nil {
		return err
	}
	fmt.Printf("%d names\n", len(pairs))
	data, err := retrieval.PackPairs(pairs)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "names-fr-ar.tsv.br"), data, 0o644)
}
