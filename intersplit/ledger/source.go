package ledger

// BySource finds the entry that stands for an import id, in effect or not.
func (l *Ledger) BySource(source string) (*Entry, bool) {
	s, known := l.sources[source]
	if source == "" || !known {
		return nil, false
	}
	l.refresh()
	return s.base, s.base != nil
}
