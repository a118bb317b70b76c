package merkle

// Hold keeps a view's version, and all behind it, readable until release is
// called: for a reader who takes long. The version must still be kept. Meanwhile
// the map grows by what every further version replaces, so hold for seconds.
func (m *Map) Hold(v *View) (release func()) {
	version := v.record.version
	m.holding.Lock()
	defer m.holding.Unlock()
	if m.held == nil {
		m.held = make(map[uint64]int)
	}
	m.held[version]++
	return func() {
		m.holding.Lock()
		defer m.holding.Unlock()
		if m.held[version]--; m.held[version] == 0 {
			delete(m.held, version)
		}
	}
}

func (m *Map) holds(version uint64) bool {
	m.holding.Lock()
	defer m.holding.Unlock()
	return m.held[version] > 0
}
