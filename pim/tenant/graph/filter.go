package graph

import (
	"errors"
	"slices"
	"strings"
	"time"
)

var errFilter = errors.New("the filter is not understood")

// maxAlternatives is how many conditions Graph lets or and in join.
const maxAlternatives = 15

// maxDepth bounds how deep parentheses nest in a query option.
const maxDepth = 20

// condition is a $filter: a comparison, or two conditions joined.
type condition struct {
	// op is and, or, not, or the word of a comparison: eq, ne, gt, ge, lt, le, in.
	op          string
	left, right *condition
	path        []string
	values      []literal
}

// literal is a value that a property is compared with.
type literal struct {
	text string
	null bool
}

// parseFilter reads a $filter. Empty text is no condition.
func parseFilter(s string) (*condition, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	p := scanner{rest: s}
	c, err := p.either(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.rest != "" {
		return nil, errFilter
	}
	return c, nil
}

// alternatives is how many conditions or and in join.
func (c *condition) alternatives() int {
	switch {
	case c == nil:
		return 0
	case c.op == "and":
		return max(c.left.alternatives(), c.right.alternatives())
	case c.op == "or":
		return c.left.alternatives() + c.right.alternatives()
	case c.op == "not":
		return c.left.alternatives()
	}
	return max(1, len(c.values))
}

// properties are the first words of every path.
func (c *condition) properties() []string {
	if c == nil {
		return nil
	}
	if len(c.path) > 0 {
		return c.path[:1]
	}
	return append(slices.Clone(c.left.properties()), c.right.properties()...)
}

// pinned are the values of which the property must have one, or false where the
// condition leaves it open.
func (c *condition) pinned(name string) ([]string, bool) {
	switch {
	case c == nil || c.op == "not":
		return nil, false
	case c.op == "and" || c.op == "or":
		left, inLeft := c.left.pinned(name)
		right, inRight := c.right.pinned(name)
		if c.op == "or" {
			return append(slices.Clone(left), right...), inLeft && inRight
		}
		if inLeft {
			return left, true
		}
		return right, inRight
	case (c.op == "eq" || c.op == "in") && len(c.path) == 1 && strings.EqualFold(c.path[0], name):
		var all []string
		for _, v := range c.values {
			all = append(all, v.text)
		}
		return all, true
	}
	return nil, false
}

// match reports whether the entity meets the condition. GUIDs and the members
// of enumerations compare without regard to case, and so does everything else.
func (c *condition) match(e entity) bool {
	if c == nil {
		return true
	}
	switch c.op {
	case "and":
		return c.left.match(e) && c.right.match(e)
	case "or":
		return c.left.match(e) || c.right.match(e)
	case "not":
		return !c.left.match(e)
	}
	have := e.at(c.path)
	switch c.op {
	case "eq", "in":
		return slices.ContainsFunc(c.values, func(l literal) bool { return l.equals(have) })
	case "ne":
		return !c.values[0].equals(have)
	}
	order, ok := c.values[0].compare(have)
	switch {
	case !ok:
		return false
	case c.op == "gt":
		return order > 0
	case c.op == "ge":
		return order >= 0
	case c.op == "lt":
		return order < 0
	}
	return order <= 0
}

func (l literal) equals(have any) bool {
	switch have := have.(type) {
	case nil:
		return l.null
	case bool:
		return !l.null && strings.EqualFold(l.text, map[bool]string{true: "true", false: "false"}[have])
	case string:
		if order, ok := l.compare(have); ok {
			return order == 0
		}
		return !l.null && strings.EqualFold(l.text, have)
	}
	return false
}

// compare is how have stands to the literal where both are moments.
func (l literal) compare(have any) (int, bool) {
	text, ok := have.(string)
	if !ok || l.null {
		return 0, false
	}
	a, errA := time.Parse(time.RFC3339Nano, text)
	b, errB := time.Parse(time.RFC3339Nano, l.text)
	return a.Compare(b), errA == nil && errB == nil
}

// at is the value at a path of property names, without regard to case.
func (e entity) at(path []string) any {
	var v any = e
	for _, name := range path {
		inner, ok := v.(entity)
		if !ok {
			return nil
		}
		v = nil
		for k, x := range inner {
			if strings.EqualFold(k, name) {
				v = x
			}
		}
	}
	return v
}

// scanner takes the text of a query option apart.
type scanner struct{ rest string }

func (p *scanner) space() { p.rest = strings.TrimLeft(p.rest, " \t") }

func (p *scanner) eat(c string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, c)
	p.rest = rest
	return ok
}

// word takes letters, digits and the signs that paths, GUIDs and moments are
// made of.
func (p *scanner) word() string {
	p.space()
	end := strings.IndexFunc(p.rest, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:+@#*$", r))
	})
	if end < 0 {
		end = len(p.rest)
	}
	w := p.rest[:end]
	p.rest = p.rest[end:]
	return w
}

// eatWord takes the next word if it is that one.
func (p *scanner) eatWord(want string) bool {
	before := p.rest
	if strings.EqualFold(p.word(), want) {
		return true
	}
	p.rest = before
	return false
}

func (p *scanner) either(depth int) (*condition, error) {
	left, err := p.both(depth)
	for err == nil && p.eatWord("or") {
		var right *condition
		right, err = p.both(depth)
		left = &condition{op: "or", left: left, right: right}
	}
	return left, err
}

func (p *scanner) both(depth int) (*condition, error) {
	left, err := p.one(depth)
	for err == nil && p.eatWord("and") {
		var right *condition
		right, err = p.one(depth)
		left = &condition{op: "and", left: left, right: right}
	}
	return left, err
}

func (p *scanner) one(depth int) (*condition, error) {
	if depth > maxDepth {
		return nil, errFilter
	}
	if p.eatWord("not") {
		inner, err := p.one(depth + 1)
		return &condition{op: "not", left: inner}, err
	}
	if p.eat("(") {
		inner, err := p.either(depth + 1)
		if err != nil || !p.eat(")") {
			return nil, errFilter
		}
		return inner, nil
	}
	return p.comparison()
}

func (p *scanner) comparison() (*condition, error) {
	path := strings.Split(p.word(), "/")
	if slices.Contains(path, "") {
		return nil, errFilter
	}
	c := &condition{op: strings.ToLower(p.word()), path: path}
	switch c.op {
	case "eq", "ne", "gt", "ge", "lt", "le":
		v, err := p.literal()
		c.values = []literal{v}
		return c, err
	case "in":
		if !p.eat("(") {
			return nil, errFilter
		}
		for {
			v, err := p.literal()
			if err != nil {
				return nil, err
			}
			c.values = append(c.values, v)
			if p.eat(")") {
				return c, nil
			}
			if !p.eat(",") {
				return nil, errFilter
			}
		}
	}
	return nil, errFilter
}

// literal takes null, a word, or text in single quotes where a doubled quote
// stands for one.
func (p *scanner) literal() (literal, error) {
	if !p.eat("'") {
		w := p.word()
		if w == "" {
			return literal{}, errFilter
		}
		if strings.EqualFold(w, "null") {
			return literal{null: true}, nil
		}
		return literal{text: w}, nil
	}
	var b strings.Builder
	for {
		text, rest, ok := strings.Cut(p.rest, "'")
		if !ok {
			return literal{}, errFilter
		}
		b.WriteString(text)
		p.rest = rest
		if !strings.HasPrefix(p.rest, "'") {
			return literal{text: b.String()}, nil
		}
		b.WriteByte('\'')
		p.rest = p.rest[1:]
	}
}
