package casework

import (
	"cmp"
	"net/http"
	"path"
)

// typed is what somebody wrote in a form of a case's page that could not be taken. The
// page that says why gives it back: reasons are written for longer than anybody wants to
// write them twice.
type typed struct {
	Do     string // what was to be done, "" where nothing was sent
	Words  string
	Ground string
	To     string
	By     string
	Days   string
	Amount string
	items  map[string]bool
}

// typedIn reads a form that was parsed; of a request that only reads there is nothing.
func typedIn(r *http.Request) typed {
	if r.Method != http.MethodPost {
		return typed{}
	}
	f := r.PostForm
	t := typed{Do: cmp.Or(f.Get("do"), path.Base(r.URL.Path)), Words: f.Get("words"), Ground: f.Get("ground"), To: f.Get("to"), By: f.Get("by"), Days: f.Get("days"),
		Amount: f.Get("amount"), items: map[string]bool{}}
	for _, id := range f["item"] {
		t.items[id] = true
	}
	return t
}

// Item tells whether a document was ticked.
func (t typed) Item(id string) bool { return t.items[id] }
