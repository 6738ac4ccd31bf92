// Package web is what every page of the program stands on: the layout, the
// templates of each language, the static files, the security headers, the cache
// of rendered pages, and the one place where an error becomes an answer.
//
// What it promises. No page needs JavaScript, carries an inline script or style,
// or asks another host for anything; the content security policy says so to the
// browser. Whatever a reader did not write passes through html/template's
// escaping. A page in the cache is the same for everybody: pages of people who
// signed in never enter it.
package web
