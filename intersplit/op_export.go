package intersplit

import (
	"context"

	"intercom/core/op"
)

// Schema is the rule of a format.
func (Format) Schema() op.Schema {
	return op.Schema{"type": "string", "enum": []Format{FormatText, FormatJSON, FormatCSV}}
}

// ExportParams are the parameters of expense_export.
type ExportParams struct {
	Channel Channel `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Format  Format  `json:"format,omitempty" jsonschema:"text (the default), json (everything) or csv (the plan)"`
}

// ExportResult is the result of expense_export.
type ExportResult struct {
	Channel    string `json:"channel" jsonschema:"channel of the ledger"`
	Format     Format `json:"format" jsonschema:"form of the data"`
	Data       string `json:"data" jsonschema:"the export"`
	Incomplete bool   `json:"incomplete,omitempty" jsonschema:"this peer had no room for all entries: others have more"`
	Joined     bool   `json:"joined,omitempty" jsonschema:"the channel was joined for this call"`
}

// exchangeOps bring a ledger's facts in and out, in other forms.
func (r *Rooms) exchangeOps() []*op.Op {
	return []*op.Op{r.exportOp(), r.planOp()}
}

func (r *Rooms) exportOp() *op.Op {
	return op.New(op.Spec[ExportParams, ExportResult]{
		Name: "expense_export", Owner: owner, Summary: "Export a channel's ledger as text, JSON or CSV",
		Notes:  "Peers with the same entries export the same but for the time of export.",
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
	s, err := v.room.statement(nil, shownEntries)
	if err != nil {
		return ExportResult{}, err
	}
	if in.Format == "" {
		in.Format = FormatText
	}
	data, err := s.write(in.Format, r.now().UnixMilli())
	if err != nil {
		return ExportResult{}, err
	}
	return ExportResult{Channel: v.channel, Joined: v.joined, Incomplete: v.room.incomplete(), Format: in.Format, Data: data}, nil
}
