package assist

import (
	"fmt"
	"slices"
	"strings"

	"intercom/intersplit/ledger"
)

// nameHere reads a name: words up to a keyword, a mark or a number.
func (s *sentence) nameHere() (string, error) {
	begin := s.at
	for s.more() && s.peek().name() {
		s.at++
		if s.list[s.at-1].quoted {
			break
		}
	}
	if begin == s.at {
		return "", s.unknown()
	}
	return s.member(s.list[begin:s.at])
}

// self are words for whoever speaks, whom the ledger does not know by that name.
var self = []string{"i", "me", "myself", "we", "us", "you", "he", "she", "they", "him", "her", "them"}

// member gives the member whom words name. Who is known by exactly that name is
// meant; a name that only some words of a known one match is asked about.
func (s *sentence) member(words []token) (string, error) {
	quoted := words[0].quoted
	said := make([]string, len(words))
	for i, w := range words {
		said[i] = w.text
	}
	parsed, err := ledger.ParseName(strings.Join(said, " "))
	if err != nil {
		return "", err
	}
	name := string(parsed)
	switch {
	case s.knows(name):
		return name, nil
	case quoted:
	case slices.Contains(self, name):
		return "", question(fmt.Sprintf("who is %q? Write the name", name))
	case everyone[name]:
		return "", question(fmt.Sprintf("%q is not one member. Write the names", name))
	default:
		if like := s.like(name); len(like) > 0 {
			return "", question(fmt.Sprintf("who is %q: %s? Write the whole name, or put a new name in double quotes", name, strings.Join(like, " or ")), like...)
		}
	}
	if !slices.Contains(s.draft.New, name) {
		s.draft.New = append(s.draft.New, name)
	}
	return name, nil
}

func (s *sentence) knows(name string) bool { return slices.Contains(s.room.Members, name) }

// like finds members who share a word with a name, or whose name is begun by it.
func (s *sentence) like(name string) []string {
	words := strings.Fields(name)
	var like []string
	for _, member := range s.room.Members {
		shared := slices.ContainsFunc(strings.Fields(member), func(w string) bool { return slices.Contains(words, w) })
		if shared || len([]rune(name)) > 1 && strings.HasPrefix(member, name) {
			like = append(like, member)
		}
	}
	return like
}

// staying are the members who have not left.
func (s *sentence) staying() []string {
	return slices.DeleteFunc(slices.Clone(s.room.Members), func(name string) bool { return slices.Contains(s.room.Left, name) })
}

// everyone are words for all members who have not left.
var everyone = map[string]bool{"everyone": true, "everybody": true, "all": true}

// names reads a list of members: "bob, cleo and dan".
func (s *sentence) names() ([]string, error) {
	var names []string
	for {
		if t := s.peek(); !t.quoted && everyone[t.word] && len(s.room.Members) > 0 {
			s.at++
			names = append(names, s.staying()...)
		} else {
			name, err := s.nameHere()
			if err != nil {
				return nil, err
			}
			names = append(names, name)
		}
		if !s.separator() {
			return unique(names), nil
		}
	}
}

// separator passes over what stands between two names, if another one follows.
func (s *sentence) separator() bool {
	begin := s.at
	for s.skip(",", "and", "&") {
		if s.more() && s.peek().name() && !s.clause() {
			return true
		}
	}
	s.at = begin
	return false
}

// clause says whether what follows is no name but "ben paid 20" or "ben 20".
func (s *sentence) clause() bool {
	for i := s.at; i < len(s.list); i++ {
		if t := s.list[i]; !t.name() {
			return t.numeric() || paidWords[t.word]
		}
	}
	return false
}

func unique(names []string) []string {
	var once []string
	for _, name := range names {
		if !slices.Contains(once, name) {
			once = append(once, name)
		}
	}
	return once
}
