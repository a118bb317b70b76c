package canon

// A writer walks over the tokens of in and appends their canonical text to out
// as it goes; no tree is built. An object's members are put into order in
// place once its closing brace is read.
type writer struct {
	in      []byte
	pos     int
	out     []byte
	depth   int
	arrange arrangement
	members []member // of the objects being read, the innermost last
	spare   []byte   // where a reordered object is put together
}

func (w *writer) wrong(reason string) error {
	if w.pos >= len(w.in) {
		reason = "unexpected end"
	}
	return &SyntaxError{Offset: w.pos, Reason: reason}
}

func (w *writer) space() {
	for w.pos < len(w.in) {
		switch w.in[w.pos] {
		case ' ', '\t', '\n', '\r':
			w.pos++
		default:
			return
		}
	}
}

// next reads c if it comes next.
func (w *writer) next(c byte) bool {
	if w.pos < len(w.in) && w.in[w.pos] == c {
		w.pos++
		return true
	}
	return false
}

func (w *writer) value() error {
	if w.pos >= len(w.in) {
		return w.wrong("")
	}
	switch c := w.in[w.pos]; c {
	case '{', '[':
		return w.nested(c)
	case '"':
		return w.text()
	case 't':
		return w.word("true")
	case 'f':
		return w.word("false")
	case 'n':
		return w.word("null")
	default:
		return w.number()
	}
}

func (w *writer) word(word string) error {
	rest := w.in[w.pos:]
	if len(rest) < len(word) || string(rest[:len(word)]) != word {
		return w.wrong("not a JSON value")
	}
	w.pos += len(word)
	w.out = append(w.out, word...)
	return nil
}

func (w *writer) nested(open byte) (err error) {
	if w.depth++; w.depth > MaxDepth {
		return w.wrong("nested too deep")
	}
	if open == '{' {
		err = w.object()
	} else {
		err = w.array()
	}
	w.depth--
	return err
}

func (w *writer) array() error {
	w.pos++
	w.out = append(w.out, '[')
	w.space()
	if w.next(']') {
		w.out = append(w.out, ']')
		return nil
	}
	for {
		w.space()
		if err := w.value(); err != nil {
			return err
		}
		w.space()
		switch {
		case w.next(','):
			w.out = append(w.out, ',')
		case w.next(']'):
			w.out = append(w.out, ']')
			return nil
		default:
			return w.wrong("no comma or bracket after an element")
		}
	}
}

func (w *writer) object() error {
	w.pos++
	w.out = append(w.out, '{')
	w.space()
	if w.next('}') {
		w.out = append(w.out, '}')
		return nil
	}
	start, base := len(w.out), len(w.members)
	for {
		if err := w.member(); err != nil {
			return err
		}
		w.space()
		switch {
		case w.next(','):
			w.out = append(w.out, ',')
		case w.next('}'):
			w.arrange(w, w.members[base:], start)
			w.members = w.members[:base]
			w.out = append(w.out, '}')
			return nil
		default:
			return w.wrong("no comma or brace after a member")
		}
	}
}

func (w *writer) member() error {
	w.space()
	if w.pos >= len(w.in) || w.in[w.pos] != '"' {
		return w.wrong("no quoted name")
	}
	start := len(w.out)
	if err := w.text(); err != nil {
		return err
	}
	nameEnd := len(w.out)
	w.space()
	if !w.next(':') {
		return w.wrong("no colon after a name")
	}
	w.out = append(w.out, ':')
	w.space()
	if err := w.value(); err != nil {
		return err
	}
	w.members = append(w.members, member{start: start, nameEnd: nameEnd, end: len(w.out)})
	return nil
}
