package merkle

// Changed visits what the update sets, and what it deletes, in no order. Key and
// value are to read, not to change.
func (u *Update) Changed(visit func(key, value []byte, deleted bool)) {
	for _, c := range u.changes {
		visit(c.entry.key, c.entry.value, c.remove)
	}
}
