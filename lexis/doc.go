// Package lexis analyses the text people in Morocco write: Arabic, French,
// Tamazight in Tifinagh and in Latin letters, English, and Darija in Arabic
// or in Latin letters (Arabizi).
//
// Three groups of functions:
//
//   - RepairArabic mends Arabic taken out of print files, where a lam and
//     an alef come out in the wrong order, numbers stick to words and
//     brackets are displaced. It works from a word list of its own and
//     never touches a digit.
//   - NormalizeArabic, StemArabic, Skeleton, FoldFrench, StemFrench,
//     TamazightKey and PhoneticKey bring the forms of one word together;
//     Analyze applies them to a text or a query and returns terms for an
//     index. Documents and queries go through the same function.
//   - DetectLang, IsArabizi, Darija and ExpandDarija tell what a reader
//     wrote in, and what everyday words stand for in the words of the
//     administration.
//
// All functions are pure, safe for concurrent use and total: any string may
// be given, including invalid UTF-8. Analyze and Tokenize read MaxInput
// bytes at most and keep MaxTokenRunes of a token. The word lists under
// data are read once, on first use. data/README.md says how they were made.
package lexis
