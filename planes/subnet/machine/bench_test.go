package machine

import (
	"fmt"
	"testing"

	"intercom/core/feed"
)

// BenchmarkApply carries entries out in blocks of a thousand, each block with its
// root and its write: what a peer does for each entry beside verifying its signature.
func BenchmarkApply(b *testing.B) {
	kinds := map[string]func(w *world, n int) Body{
		"post": func(*world, int) Body {
			return &Post{Text: "a message of about a hundred bytes, as people write them when they have something to say to others"}
		},
		"command": func(_ *world, n int) Body {
			return &Command{key(bob), "set", []byte(fmt.Sprintf(`{"key":"k%d","v":1}`, n%1000))}
		},
		"refused": func(*world, int) Body { return &SetChatStatus{true} },
	}
	for name, body := range kinds {
		b.Run(name, func(b *testing.B) {
			w := newChat(b)
			entries := make([]*feed.Entry, 1000)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				if n%1000 == 0 {
					b.StopTimer()
					for i := range entries {
						entries[i] = w.entry(bob, body(w, i))
					}
					b.StartTimer()
				}
				w.apply(entries[n%1000])
				if n++; n%1000 == 0 {
					w.commit()
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, body := range []Body{&Post{Text: "hello"}, &Command{key(bob), "set", []byte(`{"key":"a","v":1}`)}} {
		raw, err := Encode(body)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(body.Kind().String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
