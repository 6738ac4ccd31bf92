package form

import "diwan/internal/gov"

// Problem is one thing to mend in the answers, or, when it only warns, to look
// at again. Its code is stable; the messages under "problem." + Code say it.
type Problem struct {
	// Path is the name of the field, "applicant.given", "owners.0.share".
	Path string            `json:"path"`
	Code string            `json:"code"`
	Args map[string]string `json:"args,omitempty"`
	// Say is the form's own sentence, when it has one.
	Say gov.Text `json:"say,omitempty"`
	// Page is where it is mended.
	Page string `json:"page,omitempty"`
	// Warns says that the answer is taken as it is.
	Warns bool `json:"warns,omitempty"`
	// Piece is the document that is missing. Filing is not refused for it: the
	// receipt then says that the deposit is in progress and names what is missing.
	Piece string `json:"piece,omitempty"`
}

// Blocks reports whether filing must wait until the problem is mended.
func (p Problem) Blocks() bool { return !p.Warns && p.Piece == "" }

// Blocking returns the problems that block.
func Blocking(ps []Problem) []Problem {
	var out []Problem
	for _, p := range ps {
		if p.Blocks() {
			out = append(out, p)
		}
	}
	return out
}

func problemAt(path, code string, args ...string) Problem {
	return Problem{Path: path, Code: "answer." + code, Args: pairs(args)}
}

func warnAt(path, code string, args ...string) Problem {
	p := problemAt(path, code, args...)
	p.Warns = true
	return p
}
