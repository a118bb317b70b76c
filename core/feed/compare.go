package feed

import (
	"crypto/sha256"
)

// How a span is divided. More pieces take fewer turns and more bytes: with 64,
// ten differences among 100 000 entries cost three turns and about 40 KB.
const (
	listUpTo  = 32 // a span of so few entries is listed
	divideIn  = 64 // pieces of about equal size
	smallest  = 16 // but not smaller than that
	denseness = 2  // a bucket so many times a piece is divided itself
)

// answer tells what is in a span.
func (f *Feeds) answer(feed FeedID, s span) (answer, error) {
	total := 0
	if err := f.eachPart(feed, s, func(_ uint64, _ span, sum summary) error {
		total += sum.count
		return nil
	}); err != nil {
		return answer{}, err
	}
	if total <= listUpTo {
		var a answer
		err := f.scanOrder(feed, s, func(at Position) bool {
			a.listed = append(a.listed, at)
			return len(a.listed) < maxListed // entries may have come since
		})
		return a, err
	}
	d := divider{f: f, feed: feed, target: max((total+divideIn-1)/divideIn, smallest)}
	if err := f.eachPart(feed, s, d.part); err != nil {
		return answer{}, err
	}
	d.close(s.hi)
	if len(d.pieces) > maxPieces { // entries came faster than they were counted
		d.pieces = d.pieces[:0]
		sum, count, err := f.fingerprint(feed, s)
		if err != nil {
			return answer{}, err
		}
		d.pieces = append(d.pieces, piece{s.hi, uint64(count), sum})
	}
	return answer{pieces: d.pieces}, nil
}

// divider cuts a span into pieces: between buckets where it can, so that their
// cached digests serve, and inside those that are dense.
type divider struct {
	f       *Feeds
	feed    FeedID
	target  int
	current fingerprint
	pieces  []piece
}

// cut ends the current piece before that position, unless it is empty.
func (d *divider) cut(hi Position) {
	if d.current.count > 0 {
		d.pieces = append(d.pieces, piece{hi, uint64(d.current.count), d.current.sum()})
		d.current = fingerprint{}
	}
}

// close ends the last piece at the end of the span.
func (d *divider) close(hi Position) {
	d.cut(hi)
	if n := len(d.pieces); n > 0 {
		d.pieces[n-1].hi = hi // there is nothing behind it
	}
}

func (d *divider) part(bucket uint64, part span, sum summary) error {
	if sum.count > denseness*d.target {
		d.cut(part.lo)
		return d.divide(bucket, part)
	}
	if d.current.count+sum.count > d.target {
		d.cut(part.lo)
	}
	d.current.add(bucket, sum)
	return nil
}

// divide cuts one part of a bucket.
func (d *divider) divide(bucket uint64, part span) error {
	ids, count := sha256.New(), 0
	flush := func(hi Position) {
		var sum summary
		sum.count = count
		ids.Sum(sum.sum[:0])
		d.current.add(bucket, sum)
		d.cut(hi)
		ids.Reset()
		count = 0
	}
	var last Position
	err := d.f.scanOrder(d.feed, part, func(at Position) bool {
		if count == d.target {
			flush(between(last, at))
		}
		ids.Write(at.ID[:])
		count++
		last = at
		return true
	})
	flush(part.hi)
	return err
}

// between is a short position behind p and not behind q.
func between(p, q Position) Position {
	if p.Height < q.Height {
		return Position{Height: q.Height}
	}
	cut := Position{Height: q.Height}
	for i := range q.ID {
		cut.ID[i] = q.ID[i]
		if p.ID[i] != q.ID[i] {
			break
		}
	}
	return cut
}

// headsSum is the SHA-256 of the heads' ids. Peers with the same heads have the
// same entries: a head vouches for all its ancestors, and an entry is stored
// only when its ancestors are.
func (f *Feeds) headsSum(feed FeedID) (sum [32]byte, err error) {
	heads, err := f.Heads(feed)
	if err != nil {
		return sum, err
	}
	all := sha256.New()
	for _, head := range heads {
		all.Write(head[:])
	}
	all.Sum(sum[:0])
	return sum, nil
}
