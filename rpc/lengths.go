package rpc

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// lengths is a block of headers, of which Content-Length counts, an empty line,
// and the body. After broken headers nobody knows where the next message
// begins: one error is answered, and reading goes on at the next thing that
// looks like the header.
type lengths struct {
	r     *bufio.Reader
	limit int
	skip  int64 // bytes of an oversize body that come next
	lost  bool  // after broken headers
}

const (
	lengthHeader = "content-length:"
	headerLimit  = 4 << 10 // bytes of one block of headers
)

var errHeaders = parseError("the headers are broken or lack Content-Length", "send `Content-Length: <bytes>`, an empty line, and the body")

func (l *lengths) read() ([]byte, error) {
	if _, err := io.CopyN(io.Discard, l.r, l.skip); err != nil {
		return nil, err
	}
	l.skip = 0
	if l.lost {
		if err := l.find(); err != nil {
			return nil, err
		}
	}
	size, err := l.headers()
	switch {
	case err != nil:
		return nil, err
	case size > int64(l.limit):
		l.skip = size
		return nil, tooLarge(l.limit)
	}
	body := make([]byte, size)
	if n, err := io.ReadFull(l.r, body); err != nil {
		return nil, parseError(fmt.Sprintf("the input ends after %d of %d bytes", n, size), "send as many bytes as Content-Length says")
	}
	return body, nil
}

// headers reads a block of headers and gives the length of the body.
func (l *lengths) headers() (int64, error) {
	size, total := int64(-1), 0
	for {
		line, err := l.peekLine()
		if err != nil && len(bytes.TrimSpace(line)) == 0 && total == 0 {
			return 0, err // the input ends between two messages
		}
		total += len(line)
		text := strings.TrimRight(string(line), "\r\n")
		name, value, isHeader := strings.Cut(text, ":")
		switch {
		case err != nil || total > headerLimit || text != "" && (!isHeader || !isToken(name)):
			return 0, l.lose()
		case strings.EqualFold(name+":", lengthHeader):
			n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			if err != nil || n < 0 || size >= 0 && n != size {
				return 0, l.lose()
			}
			size = n
		case text == "" && size >= 0:
			l.r.Discard(len(line)) //nolint:errcheck // it was peeked
			return size, nil
		case text == "" && total > len(line):
			return 0, l.lose() // other headers, no length
		case text == "":
			total = 0 // an empty line before the headers
		}
		l.r.Discard(len(line)) //nolint:errcheck // it was peeked
	}
}

// lose gives up the place; [lengths.find] begins behind the next byte.
func (l *lengths) lose() error {
	l.lost = true
	l.r.Discard(1) //nolint:errcheck // at the end there is none
	return errHeaders
}

// find skips to the next thing that looks like a Content-Length header.
func (l *lengths) find() error {
	for {
		if _, err := l.r.Peek(len(lengthHeader)); err != nil {
			return err
		}
		held, _ := l.r.Peek(l.r.Buffered())
		at := indexHeader(held)
		l.lost = at < 0
		if at < 0 {
			at = len(held) - len(lengthHeader) + 1
		}
		l.r.Discard(at) //nolint:errcheck // it was peeked
		if !l.lost {
			return nil
		}
	}
}

// indexHeader finds the header in any case of letters. It compares bytes: text
// functions would count what is not UTF-8 differently.
func indexHeader(held []byte) int {
	for i := range len(held) - len(lengthHeader) + 1 {
		if bytes.EqualFold(held[i:i+len(lengthHeader)], []byte(lengthHeader)) {
			return i
		}
	}
	return -1
}

// peekLine gives the next line with its end, without taking it. Of a line that
// is longer than headers may be it gives the beginning.
func (l *lengths) peekLine() ([]byte, error) {
	for n := 1; ; {
		held, err := l.r.Peek(n)
		if end := bytes.IndexByte(held, '\n'); end >= 0 {
			return held[:end+1], nil
		}
		if err != nil || len(held) > headerLimit {
			return held, err
		}
		n = max(n+1, min(l.r.Buffered(), headerLimit+1))
	}
}

func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}

func (l *lengths) frame(body []byte) []byte {
	return append(fmt.Appendf(nil, "Content-Length: %d\r\n\r\n", len(body)), body...)
}
