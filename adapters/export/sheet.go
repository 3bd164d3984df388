// Package export writes reports as tables for people, CSV for spreadsheets and JSON for programs. All show the same
// rows in the same order with the same figures.
package export

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/urikake/urikake/domain"
)

// Kind says what a column holds.
type Kind int

const (
	Text   Kind = iota // free text: what a spreadsheet would take for a formula is escaped in CSV
	Amount             // a plain decimal with the currency's digits; a string in JSON, so that no program rounds it
	Count              // a whole number; a number in JSON
	Date               // YYYY-MM-DD, or empty
)

// Column is one column of a sheet. Name heads it in CSV and JSON and, unless Title is given, in tables.
type Column struct {
	Name  string
	Title string
	Kind  Kind
	Group string // columns of one group stand side by side and are one object in JSON, under this name
	Wide  bool   // left out of tables, where another column says it in words
}

// Sheet is a report: rows under columns. Foot, if any, is shown under a table only. Tables leave columns out that are
// empty in every row.
type Sheet struct {
	Columns []Column
	Rows    [][]string
	Foot    [][]string
	Notes   []string // lines under the table
}

// Add appends a row.
func (s *Sheet) Add(cells ...string) { s.Rows = append(s.Rows, cells) }

// Format is how a sheet is written.
type Format string

const (
	Table  Format = "table"
	CSV    Format = "csv"
	JSON   Format = "json"   // a list of objects
	NDJSON Format = "ndjson" // one object a line
)

// ErrFormat refuses an unknown format.
var ErrFormat = &domain.Error{Code: domain.Invalid, Rule: "export.unknown_format", Text: "the format is table, csv, json or ndjson"}

// Write writes the sheet. Refuses export.unknown_format and what w refuses.
func (s Sheet) Write(w io.Writer, f Format) error {
	out, err := s.Begin(w, f)
	if err != nil {
		return err
	}
	for _, row := range s.Rows {
		if err := out.Add(row...); err != nil {
			return err
		}
	}
	return out.End()
}

// table lines columns up by the width that characters have on a terminal: a kanji takes two cells.
func (s Sheet) table(w io.Writer) error {
	t := table.NewWriter()
	style := table.StyleDefault // plain hyphens: box-drawing characters are two cells wide in some Japanese locales
	style.Format.Header = text.FormatDefault
	style.Format.Footer = text.FormatDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Options.SeparateHeader = true
	style.Options.SeparateFooter = len(s.Foot) > 0
	t.SetStyle(style)
	var configs []table.ColumnConfig
	head := make(table.Row, len(s.Columns))
	for i, c := range s.Columns {
		head[i] = c.Title
		if c.Title == "" {
			head[i] = c.Name
		}
		config := table.ColumnConfig{Number: i + 1, Hidden: c.Wide || s.blank(i)}
		if c.Kind == Amount || c.Kind == Count {
			config.Align, config.AlignHeader, config.AlignFooter = text.AlignRight, text.AlignRight, text.AlignRight
		}
		configs = append(configs, config)
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(head)
	for _, row := range s.Rows {
		t.AppendRow(s.shown(row))
	}
	for _, row := range s.Foot {
		t.AppendFooter(s.shown(row))
	}
	lines := strings.Split(t.Render(), "\n")
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " ")); err != nil {
			return err
		}
	}
	if len(s.Rows) == 0 {
		s.Notes = append([]string{" (none)"}, s.Notes...)
	}
	for _, note := range s.Notes {
		if _, err := fmt.Fprintln(w, note); err != nil {
			return err
		}
	}
	return nil
}

// blank tells that no row has anything in a column.
func (s Sheet) blank(column int) bool {
	for _, row := range s.Rows {
		if column < len(row) && row[column] != "" {
			return false
		}
	}
	return len(s.Rows) > 0
}

// shown groups thousands and keeps control characters off the terminal.
func (s Sheet) shown(row []string) table.Row {
	out := make(table.Row, len(row))
	for i, cell := range row {
		if s.Columns[i].Kind == Amount {
			cell = thousands(cell)
		}
		out[i] = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, cell)
	}
	return out
}

// thousands writes 1234567.50 as 1,234,567.50.
func thousands(amount string) string {
	sign := ""
	if strings.HasPrefix(amount, "-") {
		sign, amount = "-", amount[1:]
	}
	whole, frac, point := strings.Cut(amount, ".")
	var b strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if point {
		b.WriteString("." + frac)
	}
	return sign + b.String()
}
