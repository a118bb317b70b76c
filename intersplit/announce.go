package intersplit

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/intersplit/ledger"
)

// app marks the ledger's messages in a channel (upstream 10.2).
const app = "expense_split_v1"

// announcement is the message that tells a channel's members of an entry. The
// other members of its event are upstream's, for people and programs that read
// along; the signed entry alone counts.
type announcement struct {
	App   string `json:"app"`
	Type  string `json:"type"`
	Event any    `json:"event"`
}

type (
	announcedExpense struct {
		TxID     string   `json:"txId"`
		Payer    string   `json:"payer"`
		Amount   string   `json:"amount"`
		Currency string   `json:"currency"`
		Split    []string `json:"split"`
		Note     string   `json:"note"`
		TS       int64    `json:"ts"`
		By       string   `json:"by"`
		Entry    string   `json:"entry"`
	}
	announcedClear struct {
		TxID  string `json:"txId"`
		TS    int64  `json:"ts"`
		By    string `json:"by"`
		Entry string `json:"entry"`
	}
)

func announce(e *feed.Entry, body ledger.Body) ([]byte, error) {
	shown := ledgerEntry(e)
	id, by, encoded := idText(shown.ID), e.Author.Address(), base64.StdEncoding.EncodeToString(e.Encode())
	if body.Kind == ledger.KindClear {
		return json.Marshal(announcement{App: app, Type: "expense_clear", Event: announcedClear{TxID: id, TS: e.TS, By: by, Entry: encoded}})
	}
	said := entryOf(&shown)
	return json.Marshal(announcement{App: app, Type: "expense_add", Event: announcedExpense{
		TxID: id, Payer: spokenPayers(said), Amount: said.Amount, Currency: said.Currency, Split: said.Split,
		Note: said.Note, TS: e.TS, By: by, Entry: encoded,
	}})
}

// announce hands an entry to the members who are connected and says to how many.
// It is on disk already, so a channel that cannot send is no failure of the call:
// members fetch the entry when they meet.
func (r *Rooms) announce(ctx context.Context, rm *room, e *feed.Entry, body ledger.Body) (sent int) {
	message, err := announce(e, body)
	if err == nil {
		_, sent, err = r.channels.Send(ctx, rm.channel, message)
	}
	if err != nil {
		r.log.Warn("an entry is recorded and could not be announced", "channel", rm.channel, "entry", e.ID(), "err", err)
		return 0
	}
	return sent
}

// Bounds of what is taken in. A message holds an entry in base64 and, once more,
// what it says.
const (
	maxMessage = 96 << 10
	maxEncoded = (feed.MaxEntry + 2) / 3 * 4
	maxWaiting = 128
)

// intake is the messages that have arrived and were not looked at yet.
type intake struct {
	waiting chan Message
}

func (in *intake) init() { in.waiting = make(chan Message, maxWaiting) }

// hear takes a message from the channel and does not keep it waiting. When too
// many wait, the message is dropped: what it announced is fetched like anything
// else that is missing.
func (r *Rooms) hear(m Message) {
	if len(m.Message) > maxMessage {
		return
	}
	select {
	case r.intake.waiting <- m:
	default:
		r.schedule.want(m.Channel, m.From)
	}
}

// takeIn works on messages until ctx ends.
func (r *Rooms) takeIn(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-r.intake.waiting:
			if err := r.receive(ctx, m); err != nil && ctx.Err() == nil {
				r.log.Debug("an announced entry was refused", "channel", m.Channel, "from", m.From, "err", err)
			}
		}
	}
}

// receive stores the entry of a message, and asks its sender for ancestors that
// are missing.
func (r *Rooms) receive(ctx context.Context, m Message) error {
	e, err := decodeAnnouncement(m.Message)
	if err != nil || e == nil {
		return err
	}
	if !r.channels.May(m.Channel, m.From, Write) {
		return errDenied(m.Channel, m.From)
	}
	if e.Feed != r.room(m.Channel, true).id {
		return fault.New(fault.Invalid, "an entry of another room")
	}
	outcome, err := r.feeds.Add(ctx, e, m.From, r.now())
	if outcome == feed.Parked {
		r.schedule.want(m.Channel, m.From)
	}
	return err
}

// decodeAnnouncement reads the entry in a message; nil means that it has none, as
// the seed application's own messages.
func decodeAnnouncement(message []byte) (*feed.Entry, error) {
	var in struct {
		Event struct {
			Entry string `json:"entry"`
		} `json:"event"`
	}
	if err := json.Unmarshal(message, &in); err != nil {
		return nil, err
	}
	if in.Event.Entry == "" || len(in.Event.Entry) > maxEncoded {
		return nil, nil
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(in.Event.Entry)
	if err != nil {
		return nil, err
	}
	return feed.Decode(raw)
}
