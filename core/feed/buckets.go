package feed

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
)

// A bucket is bucketHeights consecutive heights of a feed. The digests of whole
// buckets are cached, so that comparing large ranges costs nothing but the
// parts that changed.
const (
	bucketHeights = 256
	bucketsCached = 8192 // about 1 MiB; 2 million entries of a feed one writer wrote
)

// summary is how many entries some part of a bucket has, and the SHA-256 of
// their ids in order.
type summary struct {
	count int
	sum   [32]byte
}

type bucketKey struct {
	feed FeedID
	n    uint64
}

type bucket struct {
	writes uint64 // how often an entry came into it
	known  bool
	summary
}

// buckets caches summaries.
type buckets struct {
	mu    sync.Mutex
	cache map[bucketKey]*bucket
}

// touch tells that an entry of that height was written and can be seen.
func (c *buckets) touch(feed FeedID, height uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b, ok := c.cache[bucketKey{feed, height / bucketHeights}]; ok {
		b.writes++
		b.known = false
	}
}

// get gives the cached bucket, making it unknown when it is not there, and how
// often it had been written: for keep.
func (c *buckets) get(k bucketKey) (b *bucket, now bucket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, ok := c.cache[k]
	if !ok {
		if c.cache == nil {
			c.cache = make(map[bucketKey]*bucket)
		}
		for other := range c.cache {
			if len(c.cache) < bucketsCached {
				break
			}
			delete(c.cache, other) // any one: none is dearer than another
		}
		b = &bucket{}
		c.cache[k] = b
	}
	return b, *b
}

// keep caches what was read, unless an entry came into the bucket since get.
func (c *buckets) keep(b *bucket, writes uint64, s summary) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b.writes == writes {
		b.known, b.summary = true, s
	}
}

// bucketOf is the bucket that holds the height.
func bucketOf(height uint64) uint64 { return height / bucketHeights }

// bucketSpan is the span of one bucket.
func bucketSpan(n uint64) span {
	return span{Position{Height: n * bucketHeights}, Position{Height: (n + 1) * bucketHeights}}
}

// clip is the part of s inside t.
func (s span) clip(t span) span {
	if s.lo.Compare(t.lo) < 0 {
		s.lo = t.lo
	}
	if s.hi.Compare(t.hi) > 0 {
		s.hi = t.hi
	}
	return s
}

// summarize gives the summary of a span that lies within one bucket.
func (f *Feeds) summarize(feed FeedID, s span) (summary, error) {
	n := bucketOf(s.lo.Height)
	if s != bucketSpan(n) {
		return f.readSummary(feed, s)
	}
	b, now := f.sums.get(bucketKey{feed, n})
	if now.known {
		return now.summary, nil
	}
	read, err := f.readSummary(feed, s)
	if err == nil {
		f.sums.keep(b, now.writes, read)
	}
	return read, err
}

func (f *Feeds) readSummary(feed FeedID, s span) (summary, error) {
	var read summary
	ids := sha256.New()
	err := f.scanOrder(feed, s, func(at Position) bool {
		read.count++
		ids.Write(at.ID[:])
		return true
	})
	ids.Sum(read.sum[:0])
	return read, err
}

// scanOrder visits the positions of a span.
func (f *Feeds) scanOrder(feed FeedID, s span, visit func(at Position) (more bool)) error {
	if s.empty() {
		return nil
	}
	return f.space.Scan(place(keyOrder, feed, s.lo), place(keyOrder, feed, s.hi), func(k, _ []byte) bool {
		return visit(placed(k))
	})
}

// fingerprint builds the fingerprint of a span from its parts in order: the
// SHA-256 over, for each bucket with entries in the span, the bucket's number
// and the SHA-256 of those entries' ids. It is a function of the entries alone,
// and nobody can make two sets with one fingerprint.
type fingerprint struct {
	parts []byte
	count int
}

func (p *fingerprint) add(bucket uint64, s summary) {
	if s.count > 0 {
		p.count += s.count
		p.parts = append(binary.BigEndian.AppendUint64(p.parts, bucket), s.sum[:]...)
	}
}

func (p *fingerprint) sum() [32]byte { return sha256.Sum256(p.parts) }

// top is the greatest height of the feed; all heights below it have entries.
func (f *Feeds) top(feed FeedID) (uint64, error) {
	heads, err := f.heads(feed, 1)
	if err != nil || len(heads) == 0 {
		return 0, err
	}
	return heads[0].Height, nil
}

// eachPart visits the buckets that a span touches, with the part of each that
// lies in the span.
func (f *Feeds) eachPart(feed FeedID, s span, visit func(bucket uint64, part span, sum summary) error) error {
	top, err := f.top(feed)
	if err != nil {
		return err
	}
	s = s.clip(span{Position{}, bucketSpan(bucketOf(top)).hi})
	for n := bucketOf(s.lo.Height); !s.empty() && n <= bucketOf(top); n++ {
		part := bucketSpan(n).clip(s)
		if part.empty() {
			break
		}
		sum, err := f.summarize(feed, part)
		if err != nil {
			return err
		}
		if err := visit(n, part, sum); err != nil {
			return err
		}
	}
	return nil
}

// fingerprint computes the fingerprint of any span.
func (f *Feeds) fingerprint(feed FeedID, s span) (sum [32]byte, count int, err error) {
	var p fingerprint
	err = f.eachPart(feed, s, func(n uint64, _ span, sum summary) error {
		p.add(n, sum)
		return nil
	})
	return p.sum(), p.count, err
}
