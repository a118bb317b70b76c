package mcp

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// lines reads lines of bounded length.
type lines struct {
	in  *bufio.Reader
	max int
}

func newLines(in io.Reader, max int) *lines {
	return &lines{in: bufio.NewReaderSize(in, 64<<10), max: max}
}

// next gives the next line that is not blank, without its end. A line longer
// than the bound is read to its end, and its beginning is given with whole
// false. A last line needs no line feed.
func (l *lines) next() (line []byte, whole bool, err error) {
	for {
		line, whole, err = l.one()
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, whole && len(line) <= l.max, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
}

func (l *lines) one() (line []byte, whole bool, err error) {
	whole = true
	for {
		piece, err := l.in.ReadSlice('\n')
		if room := l.max + 1 - len(line); len(piece) > room { // one more for the line feed
			piece, whole = piece[:room], false
		}
		line = append(line, piece...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, whole, err
		}
	}
}
