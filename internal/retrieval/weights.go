package retrieval

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

//go:embed data/weights.txt
var weightText string

// weights are what the features and cues of each mode count.
type weights struct {
	feature [modes][features]float64
	cue     []float64 // for French, see cueFeatures
}

var modeNames = [modes]string{"arabic", "french", "crossing"}

var loadWeights = sync.OnceValue(func() *weights {
	w, err := parseWeights(weightText)
	if err != nil {
		panic("retrieval: data/weights.txt: " + err.Error())
	}
	return w
})

// parseWeights reads lines of a mode, the name of a feature and its weight; for
// a cue the name is that of the text's cue, or of the question's and the
// text's.
func parseWeights(text string) (*weights, error) {
	w := &weights{cue: make([]float64, cueFeatures())}
	names := map[string]*float64{}
	for m, mode := range modeNames {
		for f, name := range featureNames {
			names[mode+" "+name] = &w.feature[m][f]
		}
	}
	for i, name := range cueNames() {
		names["cue "+name] = &w.cue[i]
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		if at < 0 {
			return nil, fmt.Errorf("line %d has no weight", n)
		}
		v, err := strconv.ParseFloat(line[at+1:], 64)
		p := names[line[:at]]
		if err != nil || p == nil {
			return nil, fmt.Errorf("line %d: no weight of that name: %q", n, line)
		}
		*p = v
	}
	return w, nil
}
