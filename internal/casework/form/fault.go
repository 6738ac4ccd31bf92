package form

import (
	"fmt"
	"strings"
)

// Fault is one reason why a form document is refused. Its code is stable; the
// messages under "problem." + Code say what to do.
type Fault struct {
	Path string            `json:"path"` // "pages[2].questions[0].when"
	Code string            `json:"code"`
	Args map[string]string `json:"args,omitempty"`
}

// Faults is why a document was refused: all that was found, up to a bound.
type Faults []Fault

// maxFaults bounds what one refused document answers.
const maxFaults = 50

func (fs Faults) Error() string {
	parts := make([]string, 0, len(fs))
	for _, f := range fs {
		parts = append(parts, f.String())
	}
	return strings.Join(parts, "; ")
}

// String says the fault for a log.
func (f Fault) String() string {
	s := f.Path + ": " + f.Code
	if why := f.Args["why"]; why != "" {
		return s + " (" + why + ")"
	}
	if len(f.Args) > 0 {
		s += fmt.Sprint(" ", f.Args)
	}
	return s
}

func fault(path, code string, args ...string) Fault {
	return Fault{Path: path, Code: code, Args: pairs(args)}
}

func pairs(kv []string) map[string]string {
	if len(kv) == 0 {
		return nil
	}
	m := make(map[string]string, len(kv)/2)
	for i := 0; i+1 < len(kv); i += 2 {
		m[kv[i]] = kv[i+1]
	}
	return m
}
