package gazette

import "strings"

// longText is how many bytes one page shows at most; a longer text is shown one
// part at a time, for old phones and slow lines.
const longText = 200 << 10

// cutParts leaves one part of a long text on the page.
func (d *textData) cutParts(part string) {
	size := 0
	for _, p := range d.Pieces {
		size += len(p.Text)
	}
	if size <= longText {
		return
	}
	starts := []int{0}
	size = 0
	for i, p := range d.Pieces {
		if i > 0 && (p.IsContainer() && p.Depth == 0 && size > longText/20 || size > longText) {
			starts = append(starts, i)
			size = 0
		}
		size += len(p.Text)
	}
	chosen := 0
	of := make(map[string]int, len(d.Pieces))
	for k, s := range starts {
		end := len(d.Pieces)
		if k+1 < len(starts) {
			end = starts[k+1]
		}
		for i := s; i < end; i++ {
			of[d.Pieces[i].EID] = k
		}
	}
	if k, ok := of[part]; ok {
		chosen = k
	}
	for k, s := range starts {
		title := ""
		for _, p := range d.Pieces[s:] {
			if title = p.Title(); title != "" {
				break
			}
		}
		d.Parts = append(d.Parts, contentView{Title: title, Href: "?part=" + d.Pieces[s].EID, Current: k == chosen})
	}
	for i := range d.Contents {
		eid := strings.TrimPrefix(d.Contents[i].Href, "#")
		if of[eid] != chosen {
			d.Contents[i].Href = "?part=" + eid + "#" + eid
		}
	}
	end := len(d.Pieces)
	if chosen+1 < len(starts) {
		end = starts[chosen+1]
		d.Next = d.Parts[chosen+1].Href
	}
	if chosen > 0 {
		d.Prev = d.Parts[chosen-1].Href
	}
	d.Pieces = d.Pieces[starts[chosen]:end]
	for i := range d.Pieces {
		for _, line := range d.Pieces[i].Lines {
			for k, run := range line.Runs {
				if eid, ok := strings.CutPrefix(run.Href, "#"); ok && of[eid] != chosen {
					line.Runs[k].Href = "?part=" + eid + "#" + eid
				}
			}
		}
	}
}
