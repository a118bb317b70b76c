package log

import (
	"encoding/binary"
	"strconv"

	"intercom/core/feed"
	"intercom/core/merkle"
	"intercom/core/store"
)

// place is where everything that is confirmed lies. A snapshot is read into a
// place of its own, which takes over in one step when all of it has been
// verified.
type place struct {
	name  string
	space *store.Space
	state *merkle.Map
}

// keptVersions is how many versions of the state can be read: with too few a
// reader loses its state while it reads, with too many the disk fills.
const keptVersions = 64

// placeAt opens a place; the first one has no name.
func (l *Log) placeAt(name string) *place {
	return &place{
		name: name, space: l.store.Space(l.prefix + "/at/" + name),
		state: merkle.Open(l.store.Space(l.prefix+"/state/"+name), keptVersions),
	}
}

// other is a place that is not in use.
func (l *Log) other() *place {
	n, _ := strconv.Atoi(l.at().name)
	return l.placeAt(strconv.Itoa(n + 1))
}

// placeKey names the place in use, in the log's root space.
var placeKey = []byte("place")

// facts finds a confirmed entry.
func (p *place) facts(id feed.ID) (f facts, ok bool, err error) {
	raw, ok, err := p.space.Get(confirmedKey(id))
	if err != nil || !ok {
		return facts{}, false, err
	}
	f, err = decodeFacts(raw)
	return f, err == nil, err
}

// empty clears a space, a part at a time.
func empty(space *store.Space) error {
	const part = 10_000
	for {
		b, n := space.Batch(), 0
		err := space.Scan(nil, nil, func(key, _ []byte) bool {
			b.Delete(key)
			n++
			return n < part
		})
		if err != nil || n == 0 {
			return err
		}
		if err := b.Apply(); err != nil {
			return err
		}
	}
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
