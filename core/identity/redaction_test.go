package identity

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"intercom/core/fault"
)

const zoo = "virus shy bid eyebrow remove cool jungle seed elegant ball alarm asset reform champion hat scan act remember thumb cloth talent invite unable trouble"

// leaks names the secret of id that text shows in any usual notation, or "".
func leaks(text string, id *Identity, words Mnemonic) string {
	seed := id.secret().seed[:]
	low := strings.ToLower(text)
	for name, part := range map[string]string{
		"the seed in hex":     hexOf(seed)[:16],
		"the seed in base64":  strings.ToLower(base64.StdEncoding.EncodeToString(seed)[:12]),
		"the seed in decimal": strings.Trim(fmt.Sprint(seed[:6]), "[]"),
		"the seed in Go":      strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", seed[:6]), "[]byte{"), "}"),
		"the seed raw":        strings.ToLower(string(seed[:8])),
		"the words in hex":    hexOf([]byte(words.Reveal()))[:16],
	} {
		if strings.Contains(low, part) {
			return name
		}
	}
	shown := 0
	for _, word := range strings.Fields(words.Reveal()) {
		if strings.Contains(low, word) {
			shown++
		}
	}
	if shown > 6 { // some are plain English
		return "the words"
	}
	return ""
}

// W40: upstream prints the secret key to the console and over the bridge.
func TestW40SecretsRedactThemselves(t *testing.T) {
	id, err := FromMnemonic(zoo)
	if err != nil {
		t.Fatal(err)
	}
	words := id.Mnemonic()
	type holder struct {
		ID     *Identity
		Value  Identity
		Words  Mnemonic
		hidden *Identity
		inside Identity
		below  *struct{ ID Identity }
		words  Mnemonic
	}
	h := holder{id, *id, words, id, *id, &struct{ ID Identity }{*id}, words}
	values := []any{id, *id, words, &words, h, &h, []any{id, words}, []*Identity{id}, []Mnemonic{words}, map[string]any{"id": id, "words": words}, fmt.Errorf("with %v %w", words, errors.New(id.String()))}
	for i, value := range values {
		for _, verb := range strings.Split("v +v #v s +s q +q #q x X #x d p #p t T U e g c b o 20v -20.5s", " ") {
			if secret := leaks(fmt.Sprintf("%"+verb, value), id, words); secret != "" {
				t.Errorf("value %d with %%%s shows %s", i, verb, secret)
			}
		}
		var logged bytes.Buffer
		slog.New(slog.NewTextHandler(&logged, nil)).Info("text", "value", value, slog.Group("g", "value", value))
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("json", "value", value, slog.Group("g", "value", value))
		marshalled, _ := json.Marshal(value)
		if secret := leaks(logged.String()+string(marshalled), id, words); secret != "" {
			t.Errorf("value %d logged or marshalled shows %s", i, secret)
		}
	}
	if got := fmt.Sprintf("%v %d %+v", id, id, words); got != id.String()+" "+id.String()+" "+redacted {
		t.Errorf("printed: %s", got)
	}
	if got, err := json.Marshal(map[string]any{"id": id, "words": words}); err != nil || string(got) != `{"id":"`+id.String()+`","words":"[redacted]"}` {
		t.Errorf("marshalled: %s, %v", got, err)
	}
}

func TestFaultsDoNotShowSecrets(t *testing.T) {
	id, err := FromMnemonic(zoo)
	if err != nil {
		t.Fatal(err)
	}
	words := id.Mnemonic()
	plain, _ := formatKeypair(id, Wallet2)
	secretKey := hexOf(id.PrivateKey())
	damagedFile := bytes.Replace(encode(t, id, ""), []byte(`"check"`), []byte(`"cheque"`), 1)
	badSum := bytes.Replace(encode(t, id, ""), []byte(`"virus shy`), []byte(`"virus  shy`), 1)
	var found []error
	collect := func(_ any, err error) { found = append(found, err) }
	collect(ParseMnemonic(zoo + " more"))
	collect(ParseMnemonic(strings.Replace(zoo, "trouble", "troubles", 1)))
	collect(ParseMnemonic(strings.Replace(zoo, "virus shy", "shy virus", 1)))
	collect(ParsePublicKey(secretKey))
	collect(ParsePublicKey(zoo))
	collect(ParseAddress(secretKey))
	collect(ParseAddress(zoo))
	collect(FromMnemonicAt(zoo, zoo, DefaultPath))
	collect(Open(write(t, damagedFile, 0o600), nil))
	collect(Open(write(t, badSum, 0o600), nil))
	collect(parseKeypair(bytes.Replace(plain, []byte("1.0.0"), []byte("9"), 1)))
	collect(parseKeypair(bytes.Replace(plain, []byte("918'"), []byte("917'"), 1)))
	collect(parseKeypair(append(bytes.Clone(plain), '}')))
	for i, err := range found {
		f := fault.Of(err)
		if f == nil {
			t.Errorf("case %d is no error", i)
			continue
		}
		text := fmt.Sprintf("%s %s %+v", f.Message, f.Hint, errors.Unwrap(f))
		if secret := leaks(text, id, words); secret != "" {
			t.Errorf("case %d shows %s: %s", i, secret, text)
		}
	}
}
