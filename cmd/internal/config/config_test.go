package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"intercom/cmd/internal/config"
	"intercom/core/fault"
)

func none(string) bool { return false }

func parse(t *testing.T, env map[string]string, words ...string) (config.Config, []string, error) {
	t.Helper()
	if env == nil {
		env = map[string]string{}
	}
	if env["HOME"] == "" {
		env["HOME"] = t.TempDir()
	}
	return config.Parse(words, func(name string) string { return env[name] }, none)
}

func TestFlagWinsOverEnvironmentOverFile(t *testing.T) {
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "config.json"), []byte(`{"sc-bridge-port":1,"sidechannels":["a","b"],"mdns":false}`), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := parse(t, map[string]string{"SC_BRIDGE_PORT": "2", "INTERCOM_HOME": home})
	if err != nil || c.Bridge.Port != 2 || !slices.Equal(c.Channels, []string{"a", "b"}) || c.MDNS {
		t.Errorf("%+v, %v", c, err)
	}
	c, _, err = parse(t, map[string]string{"SC_BRIDGE_PORT": "2", "INTERCOM_HOME": home}, "--sc-bridge-port", "3", "--sc-bridge-port=4")
	if err != nil || c.Bridge.Port != 4 || !c.Bridge.PortNamed {
		t.Errorf("%+v, %v", c.Bridge, err)
	}
}

func TestFormsOfAFlag(t *testing.T) {
	for _, words := range [][]string{
		{"--sc-bridge-cli"}, {"--sc-bridge-cli", "1"}, {"--sc-bridge-cli=yes"}, {"--sc-bridge-cli", "ON"},
		{"--sc-bridge-cli", "0", "--sc-bridge-cli"}, {"--sc-bridge-cli", "--mdns", "0"},
	} {
		if c, _, err := parse(t, nil, words...); err != nil || !c.Bridge.CLI {
			t.Errorf("%q: %v", words, err)
		}
	}
	c, rest, err := parse(t, nil, "--json", "expense", "list", "--home", "/x")
	if err != nil || !c.JSON || c.Home != "/x" || !slices.Equal(rest, []string{"expense", "list"}) {
		t.Errorf("%+v %q %v", c, rest, err)
	}
}

func TestEveryProblemIsReportedAtOnce(t *testing.T) {
	_, _, err := parse(t, map[string]string{"SIDECHANNEL_QUIET": "perhaps"},
		"--nonsense", "1", "--sc-bridge-port", "70000", "--mdns=maybe", "--ui-port", "b", "--sidechannel-pow", "sometimes", "--http", "x")
	if fault.KindOf(err) != fault.Invalid {
		t.Fatalf("got %v", err)
	}
	for _, named := range []string{"--nonsense", "70000", "maybe", `--ui-port: "b"`, "sometimes", "perhaps", `"x"`} {
		if !strings.Contains(err.Error(), named) {
			t.Errorf("%q does not name %s", err, named)
		}
	}
}

func TestThePageHasAPortAndASwitch(t *testing.T) {
	for _, given := range []struct {
		words []string
		want  config.Page
	}{
		{nil, config.Page{Port: 5070}},
		{[]string{"--ui", "0"}, config.Page{On: config.Off, Port: 5070}},
		{[]string{"--ui", "--ui-port", "0"}, config.Page{On: config.On, PortNamed: true}},
	} {
		if c, _, err := parse(t, nil, given.words...); err != nil || c.Page != given.want {
			t.Errorf("%q gave %+v, %v", given.words, c.Page, err)
		}
	}
	if _, _, err := parse(t, nil, "--ui", "perhaps"); err == nil {
		t.Error("a switch that is neither on nor off was accepted")
	}
}

func TestNumbersAreBounded(t *testing.T) {
	c, _, err := parse(t, nil, "--sidechannel-backbone", "64", "--p2p-only")
	if err != nil || c.Backbone != 64 || !c.P2POnly {
		t.Errorf("%+v, %v", c, err)
	}
	for _, n := range []string{"-1", "65537", "many", "1.5", ""} {
		if _, _, err := parse(t, nil, "--sidechannel-backbone", n); err == nil {
			t.Errorf("%q was accepted", n)
		}
	}
}

func TestParametersOfACallPassThrough(t *testing.T) {
	keep := func(name string) bool { return name == "note" }
	env := func(name string) string { return map[string]string{"HOME": "/h"}[name] }
	c, rest, err := config.Parse([]string{"expense", "add", "--note", "run", "--home", "/x"}, env, keep)
	if err != nil || c.Home != "/x" || !slices.Equal(rest, []string{"expense", "add", "--note", "run"}) {
		t.Errorf("%q %v", rest, err)
	}
}

func TestStoreNameIsNoPath(t *testing.T) {
	for _, name := range []string{"..", "a/b", `a\b`, ""} {
		if _, _, err := parse(t, nil, "--peer-store-name", name); err == nil {
			t.Errorf("%q was accepted", name)
		}
	}
}

func TestFlagsThatShapeAPeerAreRemembered(t *testing.T) {
	c, _, err := parse(t, nil, "--mdns", "0", "--json", "--peer-store-name", "a")
	if err != nil || !slices.Equal(c.Given, []string{"--mdns"}) {
		t.Errorf("%q %v", c.Given, err)
	}
}

func TestBrokenFileIsNamed(t *testing.T) {
	home := t.TempDir()
	for _, text := range []string{`{`, `{"nonsense":1}`, `{"home":"/x"}`, `{"mdns":{}}`} {
		if err := os.WriteFile(filepath.Join(home, "config.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := parse(t, nil, "--home", home); err == nil || !strings.Contains(err.Error(), "config.json") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestSidechannelFlagsAreUpstreams(t *testing.T) {
	c, _, err := parse(t, map[string]string{"SIDECHANNEL_POW_DIFFICULTY": "16", "SIDECHANNEL_WELCOME_REQUIRED": "0"},
		"--sidechannel-owner", "a:b:k1, c:k2", "--sidechannel-rate-bytes=0", "--sidechannel-invite-required", "--sidechannel-inviter-keys", "self",
		"--sidechannel-welcome", `a:{"payload":{"text":"x, \"}{"},"sig":""},b:b64:AA,c:@f`)
	if err != nil {
		t.Fatal(err)
	}
	s := c.Sidechannel
	if s.WorkBits != 16 || !s.Work || s.WelcomeRequired != "0" || s.RateBytes != 0 || s.RateBurst != 256_000 || !s.InviteRequired ||
		!slices.Equal(s.Owners, []string{"a:b:k1", "c:k2"}) || !slices.Equal(s.InviterKeys, []string{"self"}) ||
		!slices.Equal(s.Welcomes, []string{`a:{"payload":{"text":"x, \"}{"},"sig":""}`, "b:b64:AA", "c:@f"}) {
		t.Errorf("%+v", s)
	}
	for _, words := range [][]string{
		{"--sidechannel-pow-difficulty", "31"}, {"--sidechannel-pow-difficulty", "12abc"}, {"--sidechannel-max-bytes", "1000001"},
		{"--sidechannel-max-strikes", "0"}, {"--sidechannel-invite-ttl", "-1"}, {"--sidechannel-welcome-required", "perhaps"},
	} {
		if _, _, err := parse(t, nil, words...); err == nil {
			t.Errorf("%q was accepted", words)
		}
	}
}

// Only upstream's own variables have upstream's names: one that anybody may have
// set for another program must not end the start.
func TestForeignVariablesMeanNothing(t *testing.T) {
	if _, _, err := parse(t, map[string]string{"UI": "1", "HTTP": "x", "JSON": "perhaps"}); err != nil {
		t.Error(err)
	}
	if c, _, err := parse(t, map[string]string{"UI": "1", "INTERCOM_UI": "0"}); err != nil || c.Page.On != config.Off {
		t.Errorf("%+v, %v", c.Page, err)
	}
}
