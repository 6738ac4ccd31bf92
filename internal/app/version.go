package app

import "runtime/debug"

// Version returns the version of the program, with the commit it was built from
// when the build knows it.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "diwan"
	}
	v, commit := info.Main.Version, ""
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			commit = " (" + s.Value[:12] + ")"
		}
	}
	return "diwan " + v + commit + " " + info.GoVersion
}
