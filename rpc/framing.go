package rpc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/sourcegraph/jsonrpc2"
)

// A framer cuts the input into messages and marks those of the output. An error
// that is a [jsonrpc2.Error] is to be answered, and reading goes on; any other
// is the end.
type framer interface {
	read() ([]byte, error)
	frame(body []byte) []byte
}

func newFramer(in io.Reader, options Options) framer {
	r := bufio.NewReaderSize(in, 64<<10)
	if options.Framing == ContentLength {
		return &lengths{r: r, limit: options.MaxBytes}
	}
	return &lines{r: r, limit: options.MaxBytes}
}

func tooLarge(limit int) *jsonrpc2.Error {
	return invalidRequest(fmt.Sprintf("the message has more than %d bytes", limit), "send less in one message")
}

// lines is one message per line. Empty lines are nothing; the last line may
// lack its end.
type lines struct {
	r     *bufio.Reader
	limit int
	skip  bool // the rest of an oversize line comes next
}

func (l *lines) read() ([]byte, error) {
	if l.skip {
		if err := l.drop(); err != nil {
			return nil, err
		}
	}
	var line []byte
	for {
		piece, err := l.r.ReadSlice('\n')
		line = append(line, piece...)
		if len(bytes.TrimRight(line, "\r\n")) > l.limit {
			l.skip = err != nil
			return nil, tooLarge(l.limit)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case len(bytes.TrimSpace(line)) > 0:
			return line, nil // an error comes again at the next read
		case err != nil:
			return nil, err
		default:
			line = line[:0]
		}
	}
}

// drop reads to the end of the line and keeps nothing.
func (l *lines) drop() error {
	for {
		_, err := l.r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		l.skip = false
		return err
	}
}

func (l *lines) frame(body []byte) []byte {
	if bytes.IndexByte(body, '\n') >= 0 {
		body = bytes.ReplaceAll(body, []byte("\n"), []byte(" ")) // between tokens only: a JSON text has none within
	}
	return append(body, '\n')
}
