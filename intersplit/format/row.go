package format

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"intercom/core/fault"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// Bounds of what is read.
const (
	MaxData = 16 << 20
	MaxRows = 50_000
)

// Row is one entry that was read. Source is its import id: equal ones are the
// same entry.
type Row struct {
	Line   int // where it stands: line of a table, place in a list, from 1
	Source string
	Body   ledger.Body
}

// Skip is a row that makes no entry, and why.
type Skip struct {
	Line int    `json:"line" jsonschema:"line of the table, or place in the list"`
	Why  string `json:"why" jsonschema:"why it makes no entry"`
}

// Read is what a text holds.
type Read struct {
	Rows    []Row
	Skipped []Skip
}

// Context is what a reader must know of the room.
type Context struct {
	// Currency reads a code in the room: ISO 4217's, or a unit of the room.
	Currency func(code string) (money.Currency, error)
	// Default is the currency of data that name none; nil when it must be asked for.
	Default *money.Currency
}

// exported reads a code that an export of ours wrote: a unit that the room does
// not know has as many decimals as the amount beside it.
func (in Context) exported(code, amount string) (money.Currency, error) {
	c, err := in.Currency(code)
	if err == nil {
		return c, nil
	}
	_, frac, _ := strings.Cut(amount, ".")
	if unit, unitErr := money.Unit(code, len(frac)); unitErr == nil {
		return unit, nil
	}
	return "", err
}

// checkData refuses what is too long or no text.
func checkData(data []byte) error {
	switch {
	case len(data) > MaxData:
		return fault.New(fault.Limited, "the data have %d bytes", len(data)).WithHint("import at most %d at once", MaxData)
	case !utf8.Valid(data):
		return fault.New(fault.Invalid, "the data are not UTF-8 text").WithHint("export them as UTF-8")
	}
	return nil
}

// table reads a CSV table: its header, and the rows with as many cells. Lines
// before the header, and blank ones, are passed over.
type table struct {
	column map[string]int
	header []string
	rows   []tableRow
}

type tableRow struct {
	line  int
	cells []string
}

func readTable(data []byte, isHeader func(cells []string) bool) (*table, error) {
	if err := checkData(data); err != nil {
		return nil, err
	}
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	in.FieldsPerRecord = -1
	t := &table{}
	for {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault.New(fault.Invalid, "the table cannot be read: %v", err).WithHint("give comma-separated values as RFC 4180 has them")
		}
		line, _ := in.FieldPos(0)
		switch {
		case t.header == nil && isHeader(cells):
			if err := t.setHeader(cells); err != nil {
				return nil, err
			}
		case t.header == nil, strings.TrimSpace(strings.Join(cells, "")) == "":
		case len(cells) != len(t.header):
			return nil, atLine(line, fault.New(fault.Invalid, "%d cells, the header has %d", len(cells), len(t.header)).WithHint("quote cells that hold a comma"))
		case len(t.rows) == MaxRows:
			return nil, tooManyRows()
		default:
			t.rows = append(t.rows, tableRow{line, cells})
		}
	}
	if t.header == nil {
		return nil, fault.New(fault.Invalid, "the table has no header that is known").WithHint("check the format: json, csv-entries, splitwise or spliit")
	}
	return t, nil
}

func (t *table) setHeader(cells []string) error {
	t.header, t.column = cells, map[string]int{}
	for i, cell := range cells {
		name := strings.ToLower(strings.TrimSpace(cell))
		if _, twice := t.column[name]; twice {
			return fault.New(fault.Invalid, "the column %q stands in the header twice", cell).WithHint("give every column and every member one name")
		}
		t.column[name] = i
	}
	return nil
}

func (t *table) cell(row tableRow, column string) string {
	if i, known := t.column[column]; known {
		return strings.TrimSpace(row.cells[i])
	}
	return ""
}

func tooManyRows() error {
	return fault.New(fault.Limited, "more than %d rows", MaxRows).WithHint("import them in parts")
}

// atLine says which row is wrong; kind and hint stay.
func atLine(line int, err error) error {
	f := fault.Of(err)
	return fault.New(f.Kind, "row %d: %s", line, f.Message).WithHint("%s", f.Hint)
}

// hashes gives rows without an id one: the hash of what they say, and how often
// it was said before, so that two equal rows are two entries and the same table
// again is the same entries.
type hashes struct {
	format string
	seen   map[string]int
}

func (h *hashes) source(fields ...string) string {
	sum := sha256.New()
	for _, field := range fields {
		size := len(field)
		sum.Write([]byte{byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)})
		sum.Write([]byte(field))
	}
	hash := hex.EncodeToString(sum.Sum(nil)[:16])
	if h.seen == nil {
		h.seen = map[string]int{}
	}
	h.seen[hash]++
	return h.format + "#" + hash + "/" + itoa(h.seen[hash])
}
