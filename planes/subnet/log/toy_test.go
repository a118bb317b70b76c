package log_test

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"sync"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/merkle"
	"intercom/planes/subnet/log"
)

// toy is a machine for tests. The body of an entry is a command:
//
//	put k v     gives a key a value and counts the puts
//	writer n    lets the n-th author write
//	unwriter n  takes that away; what comes of it is refused
//	indexers a,b  names the indexers
//
// and everything else fails. The first entry's body is "begin a,b".
type toy struct {
	skew string // added to every value: a machine of another version
}

const (
	toyDone uint32 = iota
	toyFailed
	toyRefused
)

func (t toy) Begin(u *merkle.Update, first *feed.Entry, _ uint64) error {
	list, ok := strings.CutPrefix(string(first.Body), "begin ")
	if !ok {
		return fault.New(fault.Invalid, "a first entry that says %q", first.Body)
	}
	u.Set(writerKey(first.Author), []byte{1})
	u.Set([]byte("indexers"), []byte(list))
	return nil
}

func (t toy) Admit(from log.Source, e *feed.Entry) error {
	if len(e.Body) == 0 {
		return fault.New(fault.Invalid, "an empty body")
	}
	_, ok, err := from.Get(writerKey(e.Author))
	if err == nil && !ok {
		err = fault.New(fault.Denied, "%s is no writer", e.Author).WithHint("have it added")
	}
	return err
}

func (t toy) Apply(u *merkle.Update, e *feed.Entry, height uint64) (log.Outcome, error) {
	if right, _, err := u.Get(writerKey(e.Author)); err != nil || len(right) == 0 || right[0] == 0 {
		return log.Outcome{Code: toyRefused}, err
	}
	word := strings.Fields(string(e.Body))
	switch {
	case len(word) == 3 && word[0] == "put":
		u.Set([]byte("k"+word[1]), []byte(word[2]+t.skew))
		count, _, err := u.Get([]byte("puts"))
		if err != nil {
			return log.Outcome{}, err
		}
		n := binary.BigEndian.Uint64(append(make([]byte, 8-len(count)), count...))
		u.Set([]byte("puts"), binary.BigEndian.AppendUint64(nil, n+1))
		u.Set([]byte("last"), e.Body)
		return log.Outcome{Changed: []string{word[1]}}, nil
	case len(word) == 2 && word[0] == "writer":
		u.Set(writerKey(authorNamed(word[1])), []byte{1})
	case len(word) == 2 && word[0] == "unwriter":
		if key := writerKey(authorNamed(word[1])); string(key) != string(writerKey(author(0).PublicKey())) {
			u.Set(key, []byte{0})
		}
	case len(word) == 2 && word[0] == "indexers":
		u.Set([]byte("indexers"), []byte(word[1]))
	default:
		return log.Outcome{Code: toyFailed}, nil
	}
	return log.Outcome{}, nil
}

func (t toy) Guilty(u *merkle.Update, keys []identity.PublicKey, _ uint64) error {
	set, err := t.Indexers(u)
	if err != nil {
		return err
	}
	set = slices.DeleteFunc(set, func(v bft.Validator) bool { return slices.Contains(keys, v.Key) })
	if len(set) == 0 {
		return nil
	}
	names := make([]string, len(set))
	for i, v := range set {
		names[i] = v.Key.String()
	}
	u.Set([]byte("indexers"), []byte(strings.Join(names, ",")))
	return nil
}

func (t toy) Indexers(from log.Source) ([]bft.Validator, error) {
	raw, _, err := from.Get([]byte("indexers"))
	var set []bft.Validator
	for name := range strings.SplitSeq(string(raw), ",") {
		key := authorNamed(name)
		if parsed, err := identity.ParsePublicKey(name); err == nil {
			key = parsed
		}
		set = append(set, bft.Validator{Key: key, Power: 1})
	}
	return set, err
}

func writerKey(key identity.PublicKey) []byte { return append([]byte("w"), key[:]...) }

// author is the n-th author of the tests.
func author(n int) *identity.Identity {
	if known, ok := authors.Load(n); ok {
		return known.(*identity.Identity)
	}
	made := identity.FromSeed([32]byte{byte(n), byte(n >> 8), 7})
	authors.Store(n, made)
	return made
}

var authors sync.Map // making one takes longer than signing

func authorNamed(name string) identity.PublicKey {
	n, _ := strconv.Atoi(name)
	return author(n).PublicKey()
}
