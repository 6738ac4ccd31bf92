package lexis

// Code points of the Arabic letters the rules speak of. They are written
// as numbers so that the source has one direction only and a reviewer sees
// what the compiler sees.
const (
	hamza       = '\u0621'
	alefMadda   = '\u0622'
	alefHamza   = '\u0623'
	wawHamza    = '\u0624'
	alefBelow   = '\u0625'
	yehHamza    = '\u0626'
	alef        = '\u0627'
	beh         = '\u0628'
	tehMarbuta  = '\u0629'
	teh         = '\u062a'
	seen        = '\u0633'
	feh         = '\u0641'
	kaf         = '\u0643'
	lam         = '\u0644'
	meem        = '\u0645'
	noon        = '\u0646'
	heh         = '\u0647'
	waw         = '\u0648'
	alefMaksura = '\u0649'
	yeh         = '\u064a'
	tatweel     = '\u0640'
	alefWasla   = '\u0671'

	arabicComma     = '\u060c'
	arabicSemicolon = '\u061b'
	arabicQuestion  = '\u061f'
)

// isArabicLetter reports a base letter of the Arabic alphabet as the laws
// use it, the few added letters of names (peh, veh, gaf, ...) included.
func isArabicLetter(r rune) bool {
	switch {
	case r >= hamza && r <= '\u063f', r >= feh && r <= yeh:
		return true
	case r >= alefWasla && r <= '\u06d3':
		return true
	}
	return false
}

// isArabicMark reports a vowel sign or another combining mark of Arabic.
func isArabicMark(r rune) bool {
	return r >= '\u064b' && r <= '\u065f' || r == '\u0670' ||
		r >= '\u0610' && r <= '\u061a' || r >= '\u06d6' && r <= '\u06dc' ||
		r >= '\u06df' && r <= '\u06e4' || r == '\u06e7' || r == '\u06e8' ||
		r >= '\u06ea' && r <= '\u06ed' || r >= '\u08d3' && r <= '\u08ff'
}

// isAlef reports the four forms of alef that make a ligature with a lam.
func isAlef(r rune) bool {
	return r == alef || r == alefHamza || r == alefBelow || r == alefMadda
}

// isDigit reports a decimal digit as the texts write them: Latin,
// Arabic-Indic or Eastern Arabic-Indic.
func isDigit(r rune) bool {
	return r >= '0' && r <= '9' || r >= '\u0660' && r <= '\u0669' || r >= '\u06f0' && r <= '\u06f9'
}
