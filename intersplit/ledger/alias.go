package ledger

import (
	"slices"

	"intercom/core/fault"
)

// Alias says that the member known as From is To: a new name (rename), or another
// member who is the same person (merge). From is To when its author only picks
// what a member is called of what others said.
type Alias struct {
	From, To Name
	After    []ID // the aliases of From, and those in dispute over it, that its author knew, by id
}

// NewAlias makes the body that renames or merges a member.
func NewAlias(kind Kind, a Alias, key string) (Body, error) {
	var err error
	if a.From, err = ParseName(string(a.From)); err != nil {
		return Body{}, err
	}
	if a.To, err = ParseName(string(a.To)); err != nil {
		return Body{}, err
	}
	if a.From == a.To && len(a.After) == 0 {
		return Body{}, fault.New(fault.Invalid, "%q is the name already", a.To).WithHint("names are compared without their case")
	}
	if a.After, err = sortedIDs(a.After); err != nil {
		return Body{}, err
	}
	return Body{Kind: kind, Alias: &a, Key: key}, CheckKey(key)
}

// aliases is who is who, worked out from the renames and merges in effect.
type aliases struct {
	now  map[Name]Name // the name in an entry → the member's name now; who is missing has the same
	once map[Name]Name // a name that people use now → the name in entries that means it, if another

	disputed []Conflict      // by name
	partIn   map[ID]Conflict // of which an alias is part
}

// nameOf gives the name under which the member that an entry names is known now.
func (a *aliases) nameOf(name Name) Name {
	if now, moved := a.now[name]; moved {
		return now
	}
	return name
}

// settleNames works out who is who. Aliases act one after the other in (height,
// id) order, each on whoever has the name From then; so names can be given back or
// swapped, and there is no circle. Of two that were made without knowing of each
// other for one name, the greater counts; see [disputed].
func settleNames(all []*Entry) *aliases {
	g, namers := groups{}, namers(all)
	a := &aliases{now: map[Name]Name{}, once: map[Name]Name{}, disputed: disputed(all, namers)}
	overruled := overruled(all)
	given := map[Name]*Entry{} // the rename that gave somebody the name of now
	for _, e := range all {
		from, to := e.Body.Alias.From, e.Body.Alias.To
		if from == to || overruled[e] || len(g.of(from)) == 0 {
			continue
		}
		g.move(from, to)
		delete(given, from)
		if e.Body.Kind == KindRename {
			a.share(given[to], e, namers)
			given[to] = e
		}
	}
	a.partIn = partIn(a.disputed)
	for now, names := range g {
		for _, name := range names {
			if name != now {
				a.now[name] = now
			}
			if best, known := a.once[now]; !known || name < best {
				a.once[now] = name
			}
		}
	}
	return a
}

// overruled finds the aliases that a later one of the same name does not name as
// known.
func overruled(all []*Entry) map[*Entry]bool {
	of := make(map[ID]Name, len(all))
	for _, e := range all {
		of[e.ID] = e.Body.Alias.From
	}
	known := map[ID]int{}   // by how many later ones
	later := map[Name]int{} // how many there are
	found := map[*Entry]bool{}
	for _, e := range slices.Backward(all) {
		a := e.Body.Alias
		if known[e.ID] < later[a.From] {
			found[e] = true
		}
		later[a.From]++
		for _, id := range a.After {
			if of[id] == a.From { // and not one in dispute of another name
				known[id]++
			}
		}
	}
	return found
}

// groups is which names in entries mean the member of a name now. A name that is
// missing means itself.
type groups map[Name][]Name

func (g groups) of(name Name) []Name {
	if names, known := g[name]; known {
		return names
	}
	return []Name{name}
}

func (g groups) move(from, to Name) {
	moved, there := g.of(from), g.of(to)
	if len(moved) > len(there) {
		moved, there = there, moved
	}
	g[to], g[from] = append(there, moved...), nil
}
