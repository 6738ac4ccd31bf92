package apptest

// identityPages are what people and officers keep here about themselves.
func identityPages() []Page {
	return []Page{
		{Kind: "my sessions", Path: "/me/sessions", As: Person},
		{Kind: "my preferences", Path: "/me/preferences", As: Person},
		{Kind: "representation", Path: "/me/representation", As: Person},
		{Kind: "confirmation of a person", Path: "/me/confirm?to=/me/sessions", As: Person},
		{Kind: "sessions of an officer", Path: "/office/sessions", As: Editor},
		{Kind: "security of an officer", Path: "/office/security", As: Editor},
		{Kind: "confirmation of an officer", Path: "/office/confirm?to=/office/sessions", As: Editor},
	}
}
