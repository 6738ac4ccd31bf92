package web

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"diwan/internal/gov"
)

// Format writes numbers, money and dates as the readers of one language do.
type Format struct {
	lang     gov.Lang
	symbols  gov.NumberSymbols
	months   []string
	weekdays []string
	form     string
	currency string
	zone     *time.Location
}

// NewFormat returns the formatter of a language of the country.
func NewFormat(c *gov.Country, l gov.Lang) Format {
	currency, _ := c.Currency.Symbol.In(l, c.Order())
	return Format{l, c.Numbers[l], c.Months[l], c.Weekdays[l], c.DateForm[l], currency, cmp.Or(c.Zone(), time.UTC)}
}

// Number writes a whole number with its groups of three digits.
func (f Format) Number(n int) string {
	s := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + f.symbols.Group + s[i:]
	}
	return sign + s
}

// Money writes an amount, without decimals when there are none.
func (f Format) Money(c gov.Centimes) string {
	whole, cents := int(c)/100, int(c)%100
	s := f.Number(whole)
	if cents < 0 {
		cents = -cents
	}
	if cents != 0 {
		s += f.symbols.Decimal + strconv.Itoa(cents/10) + strconv.Itoa(cents%10)
	}
	return s + "\u00a0" + f.currency
}

// Date writes a day with its weekday: "Thursday 24 December 2026".
func (f Format) Date(d gov.Date) string {
	if d.IsZero() || len(f.months) != 12 || len(f.weekdays) != 7 {
		return d.String()
	}
	return strings.NewReplacer(
		"{weekday}", f.weekdays[d.Weekday()],
		"{day}", strconv.Itoa(d.Day),
		"{month}", f.months[d.Month-1],
		"{year}", strconv.Itoa(d.Year),
	).Replace(f.form)
}

// Day writes a day without its weekday: "24 December 2026".
func (f Format) Day(d gov.Date) string {
	if d.IsZero() || len(f.months) != 12 {
		return d.String()
	}
	return strconv.Itoa(d.Day) + "\u00a0" + f.months[d.Month-1] + "\u00a0" + strconv.Itoa(d.Year)
}

// Told writes what another system told: a day or a moment as the readers do, anything
// else as it came.
func (f Format) Told(s string) string {
	if d, err := gov.ParseDate(s); err == nil {
		return f.Day(d)
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		at = at.In(f.zone)
		return f.Day(gov.DateOf(at, f.zone)) + " " + at.Format("15:04")
	}
	return s
}
