package azure

import (
	"errors"
	"strings"
)

var errFilter = errors.New("the filter is not understood")

// term is one condition of a $filter: a function such as asTarget() or
// assignedTo('…'), or a comparison such as principalId eq '…'.
type term struct {
	// name is in lower case.
	name string
	// arg is the function's argument or the value compared with.
	arg string
	// function tells asTarget() from asTarget eq …
	function bool
}

// parseFilter takes a $filter apart into terms, all of which are joined by the
// same word: and, or.
func parseFilter(s string) (terms []term, join string, err error) {
	p := filterParser{rest: s}
	for {
		t, err := p.term()
		if err != nil {
			return nil, "", err
		}
		terms = append(terms, t)
		p.space()
		if p.rest == "" {
			return terms, join, nil
		}
		w := strings.ToLower(p.word())
		if w != "and" && w != "or" || join != "" && w != join {
			return nil, "", errFilter
		}
		join = w
	}
}

type filterParser struct{ rest string }

func (p *filterParser) space() { p.rest = strings.TrimLeft(p.rest, " \t") }

// word takes letters, digits and the signs that names and GUIDs are made of.
func (p *filterParser) word() string {
	p.space()
	end := strings.IndexFunc(p.rest, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./{}", r))
	})
	if end < 0 {
		end = len(p.rest)
	}
	w := p.rest[:end]
	p.rest = p.rest[end:]
	return w
}

func (p *filterParser) eat(c string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, c)
	p.rest = rest
	return ok
}

// value takes a word, or text in single quotes where a doubled quote stands for
// one.
func (p *filterParser) value() (string, error) {
	if !p.eat("'") {
		if w := p.word(); w != "" {
			return w, nil
		}
		return "", errFilter
	}
	var b strings.Builder
	for {
		end := strings.IndexByte(p.rest, '\'')
		if end < 0 {
			return "", errFilter
		}
		b.WriteString(p.rest[:end])
		p.rest = p.rest[end+1:]
		if !strings.HasPrefix(p.rest, "'") {
			return b.String(), nil
		}
		b.WriteByte('\'')
		p.rest = p.rest[1:]
	}
}

func (p *filterParser) term() (term, error) {
	t := term{name: strings.ToLower(p.word())}
	if t.name == "" {
		return t, errFilter
	}
	if p.eat("(") {
		t.function = true
		if p.eat(")") {
			return t, nil
		}
		var err error
		if t.arg, err = p.value(); err != nil || !p.eat(")") {
			return t, errFilter
		}
		return t, nil
	}
	if !strings.EqualFold(p.word(), "eq") {
		return t, errFilter
	}
	var err error
	t.arg, err = p.value()
	return t, err
}
