package canon

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/gowebpki/jcs"
	"pgregory.net/rapid"
)

func TestUpstreamVectors(t *testing.T) {
	file, err := os.ReadFile("testdata/canonical.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		CanonicalJSON []struct{ InputJSON, CanonicalUTF8Hex, Note string }
	}
	if err := json.Unmarshal(file, &vectors); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, v := range vectors.CanonicalJSON {
		if v.Note != "" {
			continue // undefined exists only inside JavaScript
		}
		want, _ := hex.DecodeString(v.CanonicalUTF8Hex)
		got, err := JSON([]byte(v.InputJSON))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("JSON(%s) = %s, %v; want %s", v.InputJSON, got, err, want)
		}
		ran++
	}
	if ran != 19 {
		t.Errorf("ran %d vectors, want 19", ran)
	}
}

func TestTexts(t *testing.T) {
	for _, c := range []struct{ in, canonical, compact string }{
		{" [ 1 , 2 ] ", `[1,2]`, `[1,2]`},
		{`{"b":1,"a":2,"b":3}`, `{"a":2,"b":3}`, `{"b":3,"a":2}`},
		{`{"a":1,"\u0061":2}`, `{"a":2}`, `{"a":2}`},
		{`{"x":1,"10":1,"9":2,"01":3,"-1":4}`, `{"-1":4,"01":3,"10":1,"9":2,"x":1}`, `{"9":2,"10":1,"x":1,"01":3,"-1":4}`},
		{`{"z":0,"4294967295":1,"4294967294":2}`, `{"4294967294":2,"4294967295":1,"z":0}`, `{"4294967294":2,"z":0,"4294967295":1}`},
		{`{"1":1,"0":{"1":1,"0":2},"1":3}`, `{"0":{"0":2,"1":1},"1":3}`, `{"0":{"0":2,"1":1},"1":3}`},
		{`{"__proto__":1,"a":2}`, `{"__proto__":1,"a":2}`, `{"__proto__":1,"a":2}`},
		{`"\u002f\/\u00e9\u007f\u001F\b"`, "\"//é\u007f\\u001f\\b\"", "\"//é\u007f\\u001f\\b\""},
		{`"\ud83d\ude00\ud83d\uDE00\udc00\ud800x\ud800\ud800"`, `"😀😀\udc00\ud800x\ud800\ud800"`, `"😀😀\udc00\ud800x\ud800\ud800"`},
		{`"\ud800\u0041"`, `"\ud800A"`, `"\ud800A"`},
		{`{"\ud83d":1,"😀":2,"\udc00":3,"\ue000":4,"":5}`, `{"":5,"\ud83d":1,"😀":2,"\udc00":3,"` + "\ue000" + `":4}`, `{"\ud83d":1,"😀":2,"\udc00":3,"` + "\ue000" + `":4,"":5}`},
		{`[1e400,-1e400,-0,-0.0,0e9,1e-400]`, `[null,null,0,0,0,0]`, `[null,null,0,0,0,0]`},
		{`[9007199254740993,999999999999999,1e20,1E+21,0.000001,1.5e-10,-1e-100]`, `[9007199254740992,999999999999999,100000000000000000000,1e+21,0.000001,1.5e-10,-1e-100]`, `[9007199254740992,999999999999999,100000000000000000000,1e+21,0.000001,1.5e-10,-1e-100]`},
	} {
		if got, err := JSON([]byte(c.in)); err != nil || string(got) != c.canonical {
			t.Errorf("JSON(%s) = %s, %v; want %s", c.in, got, err, c.canonical)
		}
		if got, err := Compact([]byte(c.in)); err != nil || string(got) != c.compact {
			t.Errorf("Compact(%s) = %s, %v; want %s", c.in, got, err, c.compact)
		}
	}
}

func TestWhatIsNoJSONIsRefusedWhereItIsWrong(t *testing.T) {
	for _, c := range []struct {
		in     string
		offset int
	}{
		{"", 0}, {" ", 1}, {"nul", 0}, {"truee", 4}, {"1 2", 2}, {"[1,]", 3}, {"[1", 2}, {"[,1]", 1}, {"[1 2]", 3},
		{`{"a"}`, 4}, {`{"a":}`, 5}, {`{"a":1,}`, 7}, {`{a:1}`, 1}, {`{"a":1 "b":2}`, 7}, {`{"a":1`, 6}, {"{", 1},
		{"01", 1}, {"-", 0}, {"+1", 0}, {".5", 0}, {"1.", 2}, {"1e", 2}, {"1e+", 3}, {"-01", 2}, {"0x1", 1}, {"NaN", 0},
		{`"`, 1}, {`"a`, 2}, {`"\x"`, 2}, {`"\u12"`, 2}, {`"\u12g4"`, 2}, {`"\`, 2}, {"\"a\nb\"", 2}, {"\"\x00\"", 1},
		{"\"ab\xff\"", 3}, {"\"\xed\xa0\x80\"", 1}, {"\ufeff1", 0}, {"'a'", 0}, {"1//", 1}, {"undefined", 0},
	} {
		for name, f := range map[string]func([]byte) ([]byte, error){"JSON": JSON, "Compact": Compact} {
			got, err := f([]byte(c.in))
			var syntax *SyntaxError
			if got != nil || !errors.As(err, &syntax) || syntax.Offset != c.offset {
				t.Errorf("%s(%q) = %q, %v; want an error at byte %d", name, c.in, got, err, c.offset)
			}
		}
	}
}

func TestNestingIsBounded(t *testing.T) {
	at := strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)
	if got, err := JSON([]byte(at)); err != nil || string(got) != at {
		t.Errorf("depth %d is refused: %v", MaxDepth, err)
	}
	for _, deeper := range []string{"[" + at + "]", strings.Repeat(`{"a":`, 1_000_000), strings.Repeat("[", 1_000_000)} {
		if _, err := JSON([]byte(deeper)); err == nil || !strings.Contains(err.Error(), "too deep") {
			t.Errorf("too deep a text gives %v", err)
		}
	}
	wide := "[" + strings.Repeat("[[]],", 1000) + "1]"
	if _, err := JSON([]byte(wide)); err != nil {
		t.Errorf("depth adds up over siblings: %v", err)
	}
}

// names draws strings in which every kind of UTF-16 code unit meets every other.
var names = rapid.Custom(func(t *rapid.T) []uint16 {
	unit := rapid.SampledFrom([]uint16{0, '\n', 1, '"', '\\', '/', '0', '1', 'a', 'b', 0x7f, 0x80, 0xe9, 0x7ff, 0x800, 0xd7ff, 0xd800, 0xd83d, 0xdbff, 0xdc00, 0xde00, 0xdfff, 0xe000, 0xfffd, 0xffff})
	return rapid.SliceOfN(unit, 0, 5).Draw(t, "units")
})

// quote writes units as JSON, each as an escape.
func quote(units []uint16) string {
	b := []byte{'"'}
	for _, u := range units {
		b = append(b, '\\', 'u')
		b = append(b, hex.EncodeToString([]byte{byte(u >> 8), byte(u)})...)
	}
	return string(append(b, '"'))
}

func TestMembersAreOrderedByUTF16Units(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawn := rapid.SliceOfN(names, 0, 30).Draw(t, "names")
		last := map[string]int{}
		var keys [][]uint16
		var in strings.Builder
		for i, name := range drawn {
			if _, again := last[quote(name)]; !again {
				keys = append(keys, name)
			}
			last[quote(name)] = i
			if i > 0 {
				in.WriteByte(',')
			}
			in.WriteString(quote(name) + ":" + strconv.Itoa(i))
		}
		slices.SortFunc(keys, slices.Compare[[]uint16])
		want := "{"
		for i, key := range keys {
			text, err := JSON([]byte(quote(key)))
			if err != nil {
				t.Fatal(err)
			}
			if i > 0 {
				want += ","
			}
			want += string(text) + ":" + strconv.Itoa(last[quote(key)])
		}
		want += "}"
		if got, err := JSON([]byte("{" + in.String() + "}")); err != nil || string(got) != want {
			t.Fatalf("got  %s, %v\nwant %s", got, err, want)
		}
	})
}

func TestAgreesWithRFC8785WhereThatIsDefined(t *testing.T) {
	value := rapid.Deferred(func() *rapid.Generator[any] { return anyValue(3) })
	rapid.Check(t, func(t *rapid.T) {
		in, err := json.Marshal(value.Draw(t, "value"))
		if err != nil {
			t.Fatal(err)
		}
		want, err := jcs.Transform(in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := JSON(in)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("JSON(%s)\n got %s, %v\nwant %s", in, got, err, want)
		}
	})
}

func anyValue(depth int) *rapid.Generator[any] {
	name := rapid.Map(names, func(u []uint16) string { return string(utf16.Decode(u)) })
	leaves := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), name.AsAny(), rapid.String().AsAny(),
		rapid.Float64().AsAny(), rapid.Int64().AsAny(), rapid.IntRange(-1000, 1000).AsAny(),
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	inner := anyValue(depth - 1)
	return rapid.OneOf(append(leaves, rapid.SliceOfN(inner, 0, 4).AsAny(), rapid.MapOfN(name, inner, 0, 6).AsAny())...)
}

func TestPreimageIsTaggedAndLengthPrefixed(t *testing.T) {
	got := Preimage("ab", []byte("x"), nil, []byte{0, 1})
	want := []byte("\x00\x02ab\x00\x00\x00\x01x\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01")
	if !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

// W42: what is signed for one purpose can never be read as another.
func TestPreimagesOfDifferentCallsDiffer(t *testing.T) {
	type call struct {
		tag    string
		fields [][]byte
	}
	calls := rapid.Custom(func(t *rapid.T) call {
		bits := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a'}), 0, 6)
		return call{rapid.StringOfN(rapid.SampledFrom([]rune("a\x00\x01")), 0, 4, -1).Draw(t, "tag"), rapid.SliceOfN(bits, 0, 4).Draw(t, "fields")}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := calls.Draw(t, "a"), calls.Draw(t, "b")
		same := a.tag == b.tag && len(a.fields) == len(b.fields) && slices.EqualFunc(a.fields, b.fields, bytes.Equal)
		if got := bytes.Equal(Preimage(a.tag, a.fields...), Preimage(b.tag, b.fields...)); got != same {
			t.Fatalf("equal preimages: %v, equal calls: %v", got, same)
		}
	})
}

func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"b":[1,-0,1e21,"\ud800\u0000é😀"],"a":{"10":null,"9":true}}`, `{"a":1,"a":2,"\uffff":3,"\ud83d\ude00":4}`, `[[[[1.5e-7]]]]`, `"\`, "{\"\xff\":1}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		canonical, err := JSON(raw)
		compact, err2 := Compact(raw)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("JSON says %v, Compact says %v", err, err2)
		}
		if err != nil {
			return
		}
		if !json.Valid(raw) || !json.Valid(canonical) || !json.Valid(compact) {
			t.Fatalf("not JSON: in %q, canonical %q, compact %q", raw, canonical, compact)
		}
		for _, form := range [][]byte{canonical, compact} {
			if again, err := JSON(form); err != nil || !bytes.Equal(again, canonical) {
				t.Fatalf("JSON(%s) = %s, %v; want %s", form, again, err, canonical)
			}
		}
		if again, err := Compact(compact); err != nil || !bytes.Equal(again, compact) {
			t.Fatalf("Compact(%s) = %s, %v", compact, again, err)
		}
		if bytes.Contains(canonical, []byte(`\ud`)) {
			return // encoding/json has one replacement for all lone surrogates
		}
		var before, after any
		if json.Unmarshal(raw, &before) == nil && json.Unmarshal(canonical, &after) == nil && !reflect.DeepEqual(before, after) {
			t.Fatalf("%q became %q", raw, canonical)
		}
	})
}

func BenchmarkJSON(b *testing.B) {
	frame := `{"kind":"sidechannel_message_v1","id":"17cea8fa:1767225600000:abcd1234","channel":"trip-nyc","from":"17cea8fa0c8d6993e05bd5f4ad8cff9f413b40d8685bc5e633cbba6f78f5dfc5","origin":"17cea8fa0c8d6993e05bd5f4ad8cff9f413b40d8685bc5e633cbba6f78f5dfc5","ts":1767225600000,"message":%}`
	many := strings.Repeat(`{"b":1.5,"a":"x\n"},`, 3000)
	for _, c := range []struct{ name, message string }{
		{"100B", `"` + strings.Repeat("x", 100) + `"`},
		{"64KiB-ascii", `"` + strings.Repeat("x", 64<<10) + `"`},
		{"64KiB-wide", `"` + strings.Repeat("é", 32<<10) + `"`},
		{"60KB-objects", "[" + many[:len(many)-1] + "]"},
	} {
		raw := []byte(strings.Replace(frame, "%", c.message, 1))
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := JSON(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
