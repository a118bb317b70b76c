package contract

// Storage is a map of leaves; a [merkle.Update] is one, and so is a [Draft].
// Values that it gives are read, never changed.
type Storage interface {
	Source
	Set(key, value []byte)
	Delete(key []byte)
}

// Source is a map of leaves that is only read.
type Source interface {
	Get(key []byte) (value []byte, ok bool, err error)
}

// A Draft is changes over a source that are kept or dropped as one. The zero value
// is of no use; see [NewDraft]. It belongs to one goroutine.
type Draft struct {
	under   Source
	changes map[string]edit
	order   []string // of the first change of each key
}

type edit struct {
	value  []byte
	remove bool
}

// NewDraft begins a draft over a source, which it does not change.
func NewDraft(under Source) *Draft {
	return &Draft{under: under, changes: make(map[string]edit)}
}

// Get reads a value with the changes applied.
func (d *Draft) Get(key []byte) (value []byte, ok bool, err error) {
	if e, changed := d.changes[string(key)]; changed {
		return e.value, !e.remove, nil
	}
	return d.under.Get(key)
}

// Set gives a key a value, which the caller does not change afterwards.
func (d *Draft) Set(key, value []byte) { d.change(key, edit{value: value}) }

// Delete removes a key; one that is not there is no error.
func (d *Draft) Delete(key []byte) { d.change(key, edit{remove: true}) }

func (d *Draft) change(key []byte, e edit) {
	if _, again := d.changes[string(key)]; !again {
		d.order = append(d.order, string(key))
	}
	d.changes[string(key)] = e
}

// Changed lists the keys that were set or deleted, in the order of their first
// change.
func (d *Draft) Changed() []string { return d.order }

// Keep makes the changes in another storage.
func (d *Draft) Keep(in Storage) {
	for _, key := range d.order {
		if e := d.changes[key]; e.remove {
			in.Delete([]byte(key))
		} else {
			in.Set([]byte(key), e.value)
		}
	}
}
