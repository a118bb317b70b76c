package outbox

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"intercom/core/fault"
	"intercom/planes/msb/bus"
)

var rewrite = flag.Bool("rewrite", false, "write what the scripts print into them")

// TestStep runs the scripts in testdata: lines that begin with "> " are what one
// task is told, the lines behind them what it then is and wants.
//
//	> new [own] [kept]           a task with expiry 100
//	> begin                      its turn comes
//	> answer CODE|KIND           a node answers with a code, or the call with an error of a kind
//	> settled HEIGHT CODE        > absent HEIGHT        > blind
//	> advance D                  time passes
func TestStep(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScript(t, file) })
	}
}

func runScript(t *testing.T, file string) {
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s script
	var got bytes.Buffer
	for line := range strings.Lines(string(want)) {
		switch {
		case strings.HasPrefix(line, "> "):
			got.WriteString(line)
			got.WriteString(s.do(t, strings.Fields(line[2:])))
		case strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "":
			got.WriteString(line)
		}
	}
	if *rewrite {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got.String() != string(want) {
		t.Errorf("%s prints\n%s\nwant\n%s", file, got.String(), want)
	}
}

// script is one task and its clock.
type script struct {
	now  time.Time
	task task
}

func (s *script) do(t *testing.T, words []string) string {
	rest := strings.Join(words[1:], " ")
	switch words[0] {
	case "new":
		s.now = time.Unix(0, 0)
		s.task = task{Entry: Entry{State: Created, Expiry: 100}, own: strings.Contains(rest, "own"), kept: strings.Contains(rest, "kept")}
		return ""
	case "advance":
		d, err := time.ParseDuration(rest)
		if err != nil {
			t.Fatal(err)
		}
		s.now = s.now.Add(d)
		return ""
	}
	var what action
	s.task, what = s.task.step(s.input(t, words), s.now)
	return s.shows(what)
}

func (s *script) input(t *testing.T, words []string) input {
	number := func(i int) int64 {
		n, err := strconv.ParseInt(words[i], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	switch words[0] {
	case "begin":
		return begin{}
	case "answer":
		if code, ok := codeOf(words[1]); ok {
			return answer{Result: bus.Result{Code: code}}
		}
		return answer{err: fault.New(fault.Kind(words[1]), "as told")}
	case "settled":
		code, ok := codeOf(words[2])
		if !ok {
			t.Fatal(words)
		}
		return settled{bus.Record{Height: uint64(number(1)), Code: code}}
	case "absent":
		return absent{number(1)}
	case "blind":
		return blind{fault.New(fault.Unavailable, "as told")}
	}
	t.Fatal("no such command:", words)
	return nil
}

func codeOf(name string) (bus.Code, bool) {
	for c := range bus.Code(200) {
		if c.String() == name {
			return c, true
		}
	}
	return 0, false
}

func (s *script) shows(what action) string {
	line := "  " + string(s.task.State)
	if s.task.Code != bus.OK {
		line += " " + s.task.Code.String()
	}
	if s.task.Height > 0 {
		line += fmt.Sprint(" at ", s.task.Height)
	}
	line += " → " + string(what)
	if what == rest || what == watch {
		line += fmt.Sprint(" ", s.task.due.Sub(s.now))
	}
	return line + "\n"
}
