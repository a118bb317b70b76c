package mcp

import (
	"strings"
	"testing"

	"intercom/core/fault"
)

func names(s *Server) string {
	var list []string
	for _, tool := range s.shown {
		list = append(list, tool.Name)
	}
	return strings.Join(list, " ")
}

func TestToolsetsChooseTheTools(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"none is the common path", Config{}, "help events_read sc_send sc_read expense_balance expense_list expense_clear"},
		{"default", Config{Toolsets: []string{"default"}}, "help events_read sc_send sc_read expense_balance expense_list expense_clear"},
		{"read only", Config{ReadOnly: true}, "help events_read sc_read expense_balance expense_list"},
		{"an owner", Config{Toolsets: []string{"sidechannel"}}, "sc_send sc_read sc_stats"},
		{"an owner is written in lower case", Config{Toolsets: []string{"intersplit"}}, "expense_balance expense_list expense_clear"},
		{"two", Config{Toolsets: []string{"intersplit", "sidechannel"}}, "sc_send sc_read expense_balance expense_list expense_clear sc_stats"},
		{"an owner gives no admin tools", Config{Toolsets: []string{"node"}}, "ping help ops events_read"},
		{"all gives no admin tools", Config{Toolsets: []string{"all"}}, "ping help ops events_read sc_send sc_read expense_balance expense_list expense_clear sc_stats"},
		{"admin", Config{Toolsets: []string{"admin"}}, "exit"},
		{"everything but secrets", Config{Toolsets: []string{"all", "admin"}}, "ping help ops events_read sc_send sc_read expense_balance expense_list expense_clear sc_stats exit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := names(newServer(t, newHouse(t), c.cfg)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestUnknownToolsetListsTheKnownOnes(t *testing.T) {
	_, err := New(newHouse(t), Config{Toolsets: []string{"default", "sidechanel"}}, quiet())
	f := fault.Of(err)
	if f == nil || f.Kind != fault.Invalid || !strings.Contains(f.Message, `"sidechanel"`) ||
		!strings.Contains(f.Hint, "default, all, admin, node, sidechannel, intersplit") {
		t.Errorf("got %+v", f)
	}
}
