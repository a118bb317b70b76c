package log

import (
	"bufio"
	"bytes"
	"context"
)

// ReadFrames reads the frames of a snapshot that nobody has signed, as far as
// they can be read.
func (l *Log) ReadFrames(raw []byte) error {
	s := &restoring{l: l, to: l.other(), ctx: context.Background(), announced: announced{height: 1}}
	return s.run(bufio.NewReader(bytes.NewReader(raw)), nil)
}
