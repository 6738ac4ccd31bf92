// Package gov holds the words that every slice shares: languages and texts,
// dates, money, legal addresses, people at work, and the country a program is
// started for. It does no input or output and keeps no state; whoever needs a
// file, a clock or a database gets it from elsewhere.
package gov
