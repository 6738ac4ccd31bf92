package app

import (
	"fmt"
	"io"
	"text/tabwriter"

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
	return evaluation.Run(dir)
}

// PrintRetrieval writes the figures as a table.
func PrintRetrieval(w io.Writer, figures []evaluation.Figures) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "MRR@10\tR@1\tR@10\tseconds\t\t")
	set := ""
	for _, f := range figures {
		if f.Set != set {
			set = f.Set
			fmt.Fprintf(t, "\t\t\t\t  %s: %d documents, %d queries\t\n", set, f.Docs, f.Queries)
		}
		fmt.Fprintf(t, "%.3f\t%.3f\t%.3f\t%.1f\t  %s\t\n", f.MRR, f.First, f.Ten, f.Seconds, f.Method)
	}
	return t.Flush()
}
