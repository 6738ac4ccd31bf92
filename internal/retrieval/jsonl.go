package retrieval

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Doc is a document of a file to search, one a line. Only its text is searched,
// so that figures can be compared.
type Doc struct {
	ID    string `json:"id"`
	Text  string `json:"text"`
	Title string `json:"title"` // of the article it is from, where there is one
	Group string `json:"group"` // of the same source
}

// Question is a query of a file, one a line. Positives are the documents that
// answer it, where they are known.
type Question struct {
	ID        string   `json:"id"`
	Text      string   `json:"text"`
	Query     string   `json:"query"` // another name that files have for the text
	Positives []string `json:"positives"`
}

// Bounds of the files that are read.
const (
	MaxLine = 16 << 20 // bytes
	MaxDocs = 2 << 20
)

var errNoID = errors.New("it has no id")

// ReadDocs reads documents as JSON, one a line. Ids must differ.
func ReadDocs(r io.Reader) ([]Doc, error) {
	seen := map[string]bool{}
	return readLines(r, func(d *Doc) error {
		switch {
		case d.ID == "":
			return errNoID
		case seen[d.ID]:
			return fmt.Errorf("the id %q was there before", d.ID)
		}
		seen[d.ID] = true
		return nil
	})
}

// ReadQuestions reads queries as JSON, one a line, with their text under "text"
// or "query". Ids must differ.
func ReadQuestions(r io.Reader) ([]Question, error) {
	seen := map[string]bool{}
	return readLines(r, func(q *Question) error {
		if q.Text == "" {
			q.Text = q.Query
		}
		switch {
		case q.ID == "":
			return errNoID
		case seen[q.ID]:
			return fmt.Errorf("the id %q was there before", q.ID)
		case q.Text == "":
			return errors.New(`it has no "text"`)
		}
		seen[q.ID] = true
		return nil
	})
}

// ReadPairs reads parallel texts as JSON with "fr" and "ar", one pair a line.
func ReadPairs(r io.Reader) ([]Parallel, error) {
	return readLines(r, func(p *Parallel) error {
		if p.French == "" || p.Arabic == "" {
			return errors.New(`it needs both "fr" and "ar"`)
		}
		return nil
	})
}

// readLines decodes one value a line and checks it. Errors name the line.
func readLines[T any](r io.Reader, check func(*T) error) ([]T, error) {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 64<<10), MaxLine)
	var out []T
	n := 0
	for s.Scan() {
		n++
		if len(s.Bytes()) == 0 {
			continue
		}
		if len(out) == MaxDocs {
			return nil, fmt.Errorf("line %d: more than %d lines", n, MaxDocs)
		}
		var v T
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("line %d is not the JSON that is expected: %w", n, err)
		}
		if err := check(&v); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		out = append(out, v)
	}
	if err := s.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("line %d is longer than %d bytes", n+1, MaxLine)
	} else if err != nil {
		return nil, fmt.Errorf("reading line %d: %w", n+1, err)
	}
	return out, nil
}

// ReadFile opens a file and reads it with one of the readers above; errors name
// the file.
func ReadFile[T any](path string, read func(io.Reader) ([]T, error)) ([]T, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}
