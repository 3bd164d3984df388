package export

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"strings"
)

// Writer writes a sheet row by row, so that an answer of any length needs no more memory than a row. Only a table is
// held until its end, since its columns are as wide as their widest cell.
type Writer struct {
	sheet Sheet
	out   *bufio.Writer
	add   func(cells []string) error
	end   func() error
	rows  int
	names []string // of members, quoted
	line  []byte
}

// Begin heads a sheet with s's columns; its rows come by Add. Refuses export.unknown_format and what w refuses.
func (s Sheet) Begin(w io.Writer, f Format) (*Writer, error) {
	s.Rows = nil
	out := &Writer{sheet: s, out: bufio.NewWriterSize(w, 1<<16)}
	switch f {
	case Table, "":
		out.add, out.end = out.hold, func() error { return out.sheet.table(out.out) }
		return out, nil
	case CSV:
		return out, out.beginCSV()
	case JSON:
		out.beginJSON("[\n  ", ",\n  ", "[]\n", "\n]\n")
		return out, nil
	case NDJSON:
		out.beginJSON("", "\n", "", "\n")
		return out, nil
	}
	return nil, ErrFormat.With("%q", string(f))
}

// Add writes a row.
func (w *Writer) Add(cells ...string) error {
	err := w.add(cells)
	w.rows++
	return err
}

// End writes what stands after the last row, and everything that was kept back.
func (w *Writer) End() error {
	if err := w.end(); err != nil {
		return err
	}
	return w.out.Flush()
}

func (w *Writer) hold(cells []string) error {
	w.sheet.Add(cells...)
	return nil
}

func (w *Writer) beginCSV() error {
	c := csv.NewWriter(w.out)
	line := make([]string, len(w.sheet.Columns))
	for i, col := range w.sheet.Columns {
		line[i] = col.Name
	}
	w.add = func(cells []string) error {
		for i, cell := range cells {
			if w.sheet.Columns[i].Kind == Text {
				cell = unformula(cell)
			}
			line[i] = cell
		}
		return c.Write(line[:len(cells)])
	}
	w.end = func() error {
		c.Flush()
		return c.Error()
	}
	return c.Write(line)
}

// unformula keeps a spreadsheet from running a text as a formula.
func unformula(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// beginJSON writes objects, each with its columns in order: first before the first, between before the others, and
// last, or none in place of all when there are no rows.
func (w *Writer) beginJSON(first, between, none, last string) {
	for i, c := range w.sheet.Columns {
		name := quoted(c.Name) + ": "
		if c.Group != w.group(i-1) && c.Group != "" {
			name = quoted(c.Group) + ": {" + name
		}
		w.names = append(w.names, name)
	}
	w.add = func(cells []string) error {
		w.line = append(w.line[:0], between...)
		if w.rows == 0 {
			w.line = append(w.line[:0], first...)
		}
		w.object(cells)
		_, err := w.out.Write(w.line)
		return err
	}
	w.end = func() error {
		if w.rows == 0 {
			last = none
		}
		_, err := w.out.WriteString(last)
		return err
	}
}

func (w *Writer) object(cells []string) {
	w.line = append(w.line, '{')
	for i, cell := range cells {
		if i > 0 {
			w.line = append(w.line, ", "...)
		}
		w.line = append(w.line, w.names[i]...)
		w.line = w.sheet.Columns[i].value(w.line, cell)
		if group := w.group(i); group != "" && (i+1 == len(cells) || w.group(i+1) != group) {
			w.line = append(w.line, '}')
		}
	}
	w.line = append(w.line, '}')
}

// group is the group of a column; none beside the first and the last.
func (w *Writer) group(column int) string {
	if column < 0 || column >= len(w.sheet.Columns) {
		return ""
	}
	return w.sheet.Columns[column].Group
}

func (c Column) value(line []byte, cell string) []byte {
	switch {
	case c.Kind == Count && cell != "":
		return append(line, cell...)
	case cell == "" && c.Kind != Text:
		return append(line, "null"...)
	}
	return append(line, quoted(cell)...)
}

func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}
