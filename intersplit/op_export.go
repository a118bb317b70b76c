package intersplit

import (
	"context"

	"intercom/core/op"
	"intercom/intersplit/format"
	"intercom/intersplit/ledger"
)

// Schema is the rule of a format.
func (Format) Schema() op.Schema {
	return op.Schema{"type": "string", "enum": formats}
}

// ExportParams are the parameters of expense_export.
type ExportParams struct {
	Channel Channel `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Format  Format  `json:"format,omitempty" jsonschema:"text (the default), json (everything, with the signed entries themselves), csv (the plan), csv-entries (a row for each entry), hledger, beancount (journals with balance assertions) or markdown"`
}

// ExportResult is the result of expense_export.
type ExportResult struct {
	Channel    string `json:"channel" jsonschema:"channel of the ledger"`
	Format     Format `json:"format" jsonschema:"form of the data"`
	Data       string `json:"data" jsonschema:"the export"`
	Incomplete bool   `json:"incomplete,omitempty" jsonschema:"this peer had no room for all entries: others have more"`
	Joined     bool   `json:"joined,omitempty" jsonschema:"the channel was joined for this call"`
	Freshness
}

// exchangeOps bring a ledger's facts in and out, in other forms.
func (r *Rooms) exchangeOps() []*op.Op {
	return []*op.Op{r.exportOp(), r.importOp(), r.planOp(), r.assistOp()}
}

func (r *Rooms) exportOp() *op.Op {
	return op.New(op.Spec[ExportParams, ExportResult]{
		Name: "expense_export", Owner: owner, Summary: "Export a channel's ledger for people and other programs",
		Notes: "Peers with the same entries export the same but for the time of export. " +
			"expense_import takes json and csv-entries back. json carries the signed entries of the room, in base64: " +
			"imported into the same channel, on any peer, it is the room as it was, with history, undo, names and recurring rules; " +
			"so it tells what was deleted too. csv-entries has what counts now.",
		Access: op.Read, Effects: op.Effects{Idempotent: true}, Common: true, Untrusted: true,
		Synonyms: roomSynonyms,
		Example:  `{"channel":"trip-nyc","format":"json"}`,
		Run:      r.export,
		Text:     ExportResult.text,
	})
}

func (r *Rooms) export(ctx context.Context, in ExportParams) (ExportResult, error) {
	v, err := r.visit(ctx, in.Channel, false)
	if err != nil {
		return ExportResult{}, err
	}
	var book []format.Entry
	var signed []string
	var scanErr error
	s, err := v.room.statement(nil, func(l *ledger.Ledger) []Entry {
		if in.Format == FormatJSON {
			signed, scanErr = v.room.signedIn(l)
		}
		book = bookEntries(l)
		return shownEntries(l)
	})
	if err = orElse(err, scanErr); err != nil {
		return ExportResult{}, err
	}
	s.signed = signed
	if in.Format == "" {
		in.Format = FormatText
	}
	now := r.now().UnixMilli()
	data, written, err := s.writeBook(in.Format, book, now)
	if !written {
		data, err = s.write(in.Format, now)
	}
	if err != nil {
		return ExportResult{}, err
	}
	return ExportResult{
		Channel: v.channel, Freshness: v.fresh, Joined: v.joined, Incomplete: v.room.incomplete(), Format: in.Format, Data: data,
	}, nil
}
