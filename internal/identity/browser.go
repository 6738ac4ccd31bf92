package identity

import "strings"

// mark is a word by which a browser tells its maker or its system.
type mark struct{ token, name string }

// Browsers name those that they descend from too: the first mark that is found counts.
var (
	browserMarks = []mark{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"YaBrowser/", "Yandex"}, {"UCBrowser/", "UC Browser"}, {"HuaweiBrowser/", "Huawei Browser"},
		{"FxiOS/", "Firefox"}, {"Firefox/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}}
	systemMarks = []mark{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}}
)

// Browser calls a browser as people do, "Chrome · Android", so that they recognise a
// session that is not theirs. What names neither a known maker nor a known system is
// given as it is; it is a stranger's word and no proof.
func (s SignIn) Browser() string {
	var names []string
	for _, marks := range [][]mark{browserMarks, systemMarks} {
		for _, m := range marks {
			if strings.Contains(s.Agent, m.token) {
				names = append(names, m.name)
				break
			}
		}
	}
	if len(names) == 0 {
		return s.Agent
	}
	return strings.Join(names, " · ")
}
