package retrieval

// A French question says by its words what kind of answer it wants: a time, a
// sum, yes or no, a place. The best documents are ordered again by whether they
// have words of such an answer.

// rerankDepth is how many of the best documents are read for cues.
const rerankDepth = 30

// cueFeatures is how many weights there are for cues: of each cue of a text,
// and of each pair of a cue of a question and one of a text.
func cueFeatures() int {
	l := loadCues()
	return len(l.text.names) * (1 + len(l.question.names))
}

// cueNames are the names of those weights.
func cueNames() []string {
	l := loadCues()
	out := append([]string{}, l.text.names...)
	for _, q := range l.question.names {
		for _, t := range l.text.names {
			out = append(out, q+" "+t)
		}
	}
	return out
}

// questionCues are the numbers of the cues of a question.
func questionCues(text string) []int {
	found, _ := loadCues().question.find(plainWords(text))
	var out []int
	for i, ok := range found {
		if ok {
			out = append(out, i)
		}
	}
	return out
}

// textCues are the cues of a document: a half for one anywhere in it, one for
// a cue among its first words.
func textCues(text string) []Feature {
	anywhere, early := loadCues().text.find(textWords(text))
	var out []Feature
	for i := range anywhere {
		switch {
		case early[i]:
			out = append(out, Feature{i, 1})
		case anywhere[i]:
			out = append(out, Feature{i, .5})
		}
	}
	return out
}

// crossCues appends the features of a question with a text; they begin at a
// number.
func crossCues(out []Feature, question []int, text []Feature, at int) []Feature {
	n := len(loadCues().text.names)
	for _, t := range text {
		out = append(out, Feature{at + t.At, t.Value})
		for _, q := range question {
			out = append(out, Feature{at + n*(1+q) + t.At, t.Value})
		}
	}
	return out
}
