package graph

import (
	"errors"
	"strings"
)

var errExpand = errors.New("the expansion is not understood")

// expansion is one name of an $expand with the options in its parentheses.
type expansion struct {
	name     string
	selected []string
	inner    []expansion
}

// parseExpand reads an $expand such as
// roleDefinition,policy($expand=rules;$select=id). Empty text is none.
func parseExpand(s string) ([]expansion, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	p := scanner{rest: s}
	list, err := p.expansions(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.rest != "" {
		return nil, errExpand
	}
	return list, nil
}

func (p *scanner) expansions(depth int) ([]expansion, error) {
	if depth > maxDepth {
		return nil, errExpand
	}
	var list []expansion
	for {
		x := expansion{name: p.word()}
		if x.name == "" {
			return nil, errExpand
		}
		if p.eat("(") {
			if err := p.options(&x, depth); err != nil {
				return nil, err
			}
		}
		list = append(list, x)
		if !p.eat(",") {
			return list, nil
		}
	}
}

func (p *scanner) options(x *expansion, depth int) error {
	for {
		name := strings.ToLower(p.word())
		if !p.eat("=") {
			return errExpand
		}
		var err error
		switch name {
		case "$expand":
			x.inner, err = p.expansions(depth + 1)
		case "$select":
			x.selected, err = p.names()
		default:
			err = errExpand
		}
		if err != nil {
			return err
		}
		if p.eat(")") {
			return nil
		}
		if !p.eat(";") {
			return errExpand
		}
	}
}

func (p *scanner) names() ([]string, error) {
	var list []string
	for {
		w := p.word()
		if w == "" {
			return nil, errExpand
		}
		list = append(list, w)
		if !p.eat(",") {
			return list, nil
		}
	}
}
