// Package model holds the things of the catalogue and the rules about them:
// procedures with their seven facts, administrations, online services, themes,
// life events, and what must be true before a procedure is published. It is
// pure: no database, no pages.
package model
