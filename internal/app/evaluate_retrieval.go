package app

import (
	"fmt"
	"io"

	"diwan/internal/retrieval/evaluation"
)

// EvaluateRetrieval measures the ranking on the development sets of a folder,
// or of the one found beside the working directory when dir is empty.
func EvaluateRetrieval(dir string) ([]evaluation.Figures, error) {
	if dir == "" {
		var err error
		if dir, err = evaluation.FindSets(); err != nil {
			return nil, err
		}
	}
	return evaluation.Run(dir, true)
}

// PrintRetrieval writes the figures as a table.
func PrintRetrieval(w io.Writer, figures []evaluation.Figures) error {
	set := ""
	for _, f := range figures {
		if f.Set != set {
			set = f.Set
			if _, err := fmt.Fprintf(w, "%s: %d documents, %d queries\nMRR@10    R@1   R@10  seconds\n", set, f.Docs, f.Queries); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(w, "%6.3f  %5.3f  %5.3f  %7.1f  %s\n", f.MRR, f.First, f.Ten, f.Seconds, f.Method); err != nil {
			return err
		}
	}
	return nil
}
