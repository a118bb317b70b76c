package intersplit

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"intercom/core/fault"
	"intercom/core/op"
	"intercom/intersplit/format"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// ImportFormat is a form of data that is taken in.
type ImportFormat string

// The forms that are taken in, and what reads them.
var importers = []struct {
	format ImportFormat
	read   func([]byte, format.Context) (*format.Read, error)
}{
	{"json", format.ReadJSON},
	{"csv-entries", format.ReadCSVEntries},
	{"splitwise", format.ReadSplitwise},
	{"spliit", format.ReadSpliit},
}

// Schema is the rule of a form of import.
func (ImportFormat) Schema() op.Schema {
	var names []ImportFormat
	for _, i := range importers {
		names = append(names, i.format)
	}
	return op.Schema{"type": "string", "enum": names}
}

// ImportParams are the parameters of expense_import.
type ImportParams struct {
	Channel  Channel      `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Format   ImportFormat `json:"format" jsonschema:"json or csv-entries as expense_export writes them, splitwise (its CSV) or spliit (its JSON)"`
	Data     string       `json:"data,omitempty" jsonschema:"the text to import; or give path"`
	Path     string       `json:"path,omitempty" jsonschema:"file on the machine of the peer, instead of data"`
	Currency *string      `json:"currency,omitempty" jsonschema:"currency of data that name none"`
	Update   op.Flag      `json:"update,omitempty" jsonschema:"edit entries whose row has changed; otherwise they are only told"`
	DryRun   op.Flag      `json:"dry_run,omitempty" jsonschema:"answer what is new, known and changed, and record nothing"`
}

// ImportResult is the result of expense_import.
type ImportResult struct {
	Channel string        `json:"channel" jsonschema:"channel of the ledger"`
	Format  ImportFormat  `json:"format" jsonschema:"form of the data"`
	Way     Way           `json:"way" jsonschema:"signed: the signed entries of this very room were merged, of which each counts as a row; rows: each row makes a new entry of this peer"`
	New     int           `json:"new" jsonschema:"rows that were not in the room, and are recorded"`
	Known   int           `json:"known" jsonschema:"rows that are in the room already"`
	Changed int           `json:"changed" jsonschema:"way rows: rows whose entry says something else, with update it is edited; way signed: entries of the room that the new ones change"`
	Gone    int           `json:"gone" jsonschema:"rows whose entry was deleted, undone or cleared here, and stays so"`
	Skipped []format.Skip `json:"skipped" jsonschema:"rows that make no entry"`
	Void    int           `json:"void,omitempty" jsonschema:"way signed: new ones that are kept and count nowhere, as of an author without the right to add; their reason says why"`
	Rows    []ImportRow   `json:"rows" jsonschema:"the new and the changed rows, the first 200 of them"`
	SentTo  int           `json:"sent_to" jsonschema:"to how many connected members the entries were announced; those who are away fetch them later"`
	Joined  bool          `json:"joined,omitempty" jsonschema:"the channel was joined for this call"`
	DryRun  bool          `json:"dry_run,omitempty" jsonschema:"nothing was recorded"`
}

// Way is how data enter a room.
type Way string

// The ways of [ImportResult].
const (
	WaySigned Way = "signed"
	WayRows   Way = "rows"
)

// ImportRow is a row that is not simply known.
type ImportRow struct {
	Row    int    `json:"row" jsonschema:"line of the table, or place in the list; 0 for what the data do not have"`
	Status string `json:"status" jsonschema:"new or changed"`
	ID     string `json:"id,omitempty" jsonschema:"of a changed row: its entry"`
	Entry  Entry  `json:"entry" jsonschema:"what the row says; way signed: what the entry says with all of them"`
}

const maxImportRows = 200

func (r *Rooms) importOp() *op.Op {
	return op.New(op.Spec[ImportParams, ImportResult]{
		Name: "expense_import", Owner: owner, Summary: "Import entries from another ledger, once however often it is done",
		Notes: "Try dry_run first. json into the channel that it was exported from brings back the signed entries themselves: " +
			"each is checked like one from a member and keeps its author, and a member who comes later changes nothing; " +
			"the readable entries beside them are not looked at. All else makes new entries of this peer: " +
			"each row has an import id, its own or the hash of what it says, which counts once in the room, whoever imports it. " +
			"One wrong row refuses all of them. Splitwise tells no payers: who is better off by a row is taken to have paid it.",
		Access: op.Write, Effects: op.Effects{Idempotent: true, OpenWorld: true}, Untrusted: true,
		Synonyms: roomSynonyms,
		Example:  `{"channel":"trip-nyc","format":"csv-entries","data":"payers,amount,split,note\nann,30,\"ann,ben\",dinner\n","dry_run":true}`,
		Run:      r.imports,
		Text:     ImportResult.text,
	})
}

func (r *Rooms) imports(ctx context.Context, in ImportParams) (ImportResult, error) {
	data, err := in.data()
	if err != nil {
		return ImportResult{}, err
	}
	v, err := r.visit(ctx, in.Channel, bool(in.DryRun))
	if err != nil {
		return ImportResult{}, err
	}
	out := ImportResult{
		Channel: v.channel, Format: in.Format, Joined: v.joined, DryRun: bool(in.DryRun), Skipped: []format.Skip{}, Rows: []ImportRow{},
	}
	signed, err := in.signed(v.channel, data)
	switch {
	case err != nil:
	case signed != nil:
		err = r.importSigned(ctx, v.room, signed, &out)
	default:
		err = r.importRows(ctx, v.room, in, data, &out)
	}
	if err != nil {
		return ImportResult{}, err
	}
	return out, nil
}

// data is the text to import. What a file holds that is no such export is not
// told: it may be any file of the machine.
func (in ImportParams) data() ([]byte, error) {
	if (in.Data == "") == (in.Path == "") {
		return nil, fault.New(fault.Invalid, "either data or path is needed").WithHint("give the text as data, or a file of the peer's machine as path")
	}
	if in.Path == "" {
		return []byte(in.Data), nil
	}
	refuse := func(why string) error {
		return fault.New(fault.NotFound, "the file %.200q %s", in.Path, why).WithHint("give a regular file that the peer can read, of at most %d bytes", format.MaxData)
	}
	info, err := os.Stat(in.Path)
	switch {
	case err != nil:
		return nil, refuse("cannot be found")
	case !info.Mode().IsRegular():
		return nil, refuse("is no regular file")
	case info.Size() > format.MaxData:
		return nil, refuse("is too long")
	}
	file, err := os.Open(in.Path)
	if err != nil {
		return nil, refuse("cannot be opened")
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, format.MaxData+1))
	if err != nil {
		return nil, refuse("cannot be read")
	}
	return data, nil
}

func (in ImportParams) read(l *ledger.Ledger, data []byte) (*format.Read, error) {
	room := format.Context{Currency: func(code string) (money.Currency, error) { return currencyNamed(l, code) }}
	if in.Currency != nil {
		c, err := currencyNamed(l, *in.Currency)
		if err != nil {
			return nil, err
		}
		room.Default = &c
	}
	for _, i := range importers {
		if i.format != in.Format {
			continue
		}
		read, err := i.read(data, room)
		return read, in.unread(err)
	}
	return nil, fault.New(fault.Invalid, "format %q is not known", in.Format)
}

// unread refuses data that cannot be read. Of a file, only a row of the format is
// told.
func (in ImportParams) unread(err error) error {
	if f := fault.Of(err); f != nil && in.Path != "" && !strings.HasPrefix(f.Message, "row ") {
		return fault.New(f.Kind, "the file %.200q is no data of format %s", in.Path, in.Format).WithHint("check path and format")
	}
	return err
}

func (r ImportResult) text() string {
	var out strings.Builder
	did := "imported"
	if r.DryRun {
		did = "would import"
	}
	fmt.Fprintf(&out, "[expense:%s] %s %s new=%d known=%d changed=%d gone=%d skipped=%d\n", r.Channel, did, r.Way, r.New, r.Known, r.Changed, r.Gone, len(r.Skipped))
	if r.Void > 0 {
		fmt.Fprintf(&out, "- %d of the new ones are kept and count nowhere\n", r.Void)
	}
	for _, row := range r.Rows {
		fmt.Fprintf(&out, "- row %d %s: %s\n", row.Row, row.Status, spokenEntry(row.Entry))
	}
	for _, skip := range r.Skipped {
		fmt.Fprintf(&out, "- row %d skipped: %s\n", skip.Line, skip.Why)
	}
	return out.String()
}
