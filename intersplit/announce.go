package intersplit

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
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

// announcedOther is any other entry: what it says is in it.
type announcedOther = announcedClear

func announce(e *feed.Entry, body ledger.Body) ([]byte, error) {
	shown := ledgerEntry(e)
	id, by, encoded := idText(shown.ID), e.Author.Address(), base64.StdEncoding.EncodeToString(e.Encode())
	if body.Kind != ledger.KindExpense {
		return json.Marshal(announcement{App: app, Type: "expense_" + string(body.Kind), Event: announcedOther{TxID: id, TS: e.TS, By: by, Entry: encoded}})
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
	return r.send(ctx, rm, message, err)
}

func (r *Rooms) send(ctx context.Context, rm *room, message []byte, err error) (sent int) {
	if err == nil {
		_, sent, err = r.channels.Send(ctx, rm.channel, message)
	}
	if err != nil {
		r.log.Warn("entries are recorded and could not be announced", "channel", rm.channel, "err", err)
		return 0
	}
	return sent
}

// saidSingly is how many entries at once are announced each by itself. Of more,
// only the heads are, and members fetch them over a stream: an import must not
// flood a channel.
const saidSingly = 20

// announcedHeads tells members that there are entries to fetch: those named, and
// what is behind them.
type announcedHeads struct {
	Heads   []string `json:"heads"`
	Entries int      `json:"entries"` // how many were added at once
}

// announceAll hands entries that were written together to the members.
func (r *Rooms) announceAll(ctx context.Context, rm *room, all []*feed.Entry, bodies []ledger.Body) (sent int) {
	if len(all) <= saidSingly {
		for i, e := range all {
			sent = r.announce(ctx, rm, e, bodies[i])
		}
		return sent
	}
	return r.announceHeads(ctx, rm, len(all), all[len(all)-1].ID()) // which has all the others behind it
}

// announceHeads tells the members that so many entries are to be fetched, behind
// these heads.
func (r *Rooms) announceHeads(ctx context.Context, rm *room, entries int, heads ...feed.ID) (sent int) {
	said := announcedHeads{Heads: []string{}, Entries: entries}
	for _, id := range heads[:min(len(heads), feed.MaxParents)] { // who lacks one asks for all
		said.Heads = append(said.Heads, id.String())
	}
	message, err := json.Marshal(announcement{App: app, Type: "expense_heads", Event: said})
	return r.send(ctx, rm, message, err)
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
// are missing, or for the heads that it names.
func (r *Rooms) receive(ctx context.Context, m Message) error {
	said, err := decodeAnnouncement(m.Message)
	if err != nil || said.entry == nil && len(said.heads) == 0 {
		return err
	}
	if !r.channels.May(m.Channel, m.From, Write) {
		return errDenied(m.Channel, m.From)
	}
	rm := r.room(m.Channel, true)
	if said.entry == nil {
		return r.seek(rm, m.From, said.heads)
	}
	if said.entry.Feed != rm.id {
		return fault.New(fault.Invalid, "an entry of another room")
	}
	outcome, err := r.feeds.Add(ctx, said.entry, m.From, r.now())
	if outcome == feed.Parked {
		r.schedule.want(m.Channel, m.From)
	}
	return err
}

// seek has a member asked for heads, unless they are here.
func (r *Rooms) seek(rm *room, from identity.PublicKey, heads []feed.ID) error {
	for _, id := range heads {
		has, err := r.feeds.Has(rm.id, id)
		if err != nil {
			return err
		}
		if !has {
			r.schedule.want(rm.channel, from)
			return nil
		}
	}
	return nil
}

// heard is what a message announces: an entry or heads, or nothing, as the seed
// application's own messages.
type heard struct {
	entry *feed.Entry
	heads []feed.ID
}

// decodeAnnouncement reads what a message announces.
func decodeAnnouncement(message []byte) (heard, error) {
	var in struct {
		Event struct {
			Entry string   `json:"entry"`
			Heads []string `json:"heads"`
		} `json:"event"`
	}
	if err := json.Unmarshal(message, &in); err != nil {
		return heard{}, err
	}
	if in.Event.Entry == "" {
		return decodeHeads(in.Event.Heads)
	}
	if len(in.Event.Entry) > maxEncoded {
		return heard{}, nil
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(in.Event.Entry)
	if err != nil {
		return heard{}, err
	}
	e, err := feed.Decode(raw)
	return heard{entry: e}, err
}

func decodeHeads(texts []string) (heard, error) {
	if len(texts) > feed.MaxParents {
		return heard{}, fault.New(fault.Invalid, "%d heads", len(texts))
	}
	var said heard
	for _, text := range texts {
		id, err := feed.ParseID(text)
		if err != nil {
			return heard{}, err
		}
		said.heads = append(said.heads, id)
	}
	return said, nil
}
