package intersplit

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestSplitsAreReadInAllTheirForms(t *testing.T) {
	for raw, want := range map[string]Split{
		`"ann,bob"`:                    {{"ann", ""}, {"bob", ""}},
		`" ann , bob ,"`:               {{" ann ", ""}, {" bob ", ""}},
		`"ann:2,bob:1.5"`:              {{"ann", "2"}, {"bob", "1.5"}},
		`["ann","bob"]`:                {{"ann", ""}, {"bob", ""}},
		`[{"member":"ann"},"bob"]`:     {{"ann", ""}, {"bob", ""}},
		`[{"member":"a","value":2}]`:   {{"a", "2"}},
		`[{"member":"a","value":"2"}]`: {{"a", "2"}},
		`[]`:                           {},
	} {
		var got Split
		if err := json.Unmarshal([]byte(raw), &got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", raw, got, err)
		}
	}
	for _, raw := range []string{`7`, `{}`, `[7]`, `[null]`, `[[]]`, `"a:"`, `[{"member":"a","amount":2,"x":1}]`} {
		var got Split
		if err := json.Unmarshal([]byte(raw), &got); err == nil {
			t.Errorf("%s: taken as %v", raw, got)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte(`"ann:2,bob:1"`))
	f.Add([]byte(`[{"member":"ann","value":1e3},"bob"]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var split Split
		var payers Payers
		if json.Unmarshal(raw, &split) == nil && len(split) > maxLines || json.Unmarshal(raw, &payers) == nil && len(payers) > maxLines {
			t.Error("a list beyond its bound")
		}
	})
}
