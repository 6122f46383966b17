package graph

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// entity is an object of Graph, with its properties by name.
type entity map[string]any

// shape is the type of an entity as far as queries need it.
type shape struct {
	// name is the type without microsoft.graph.
	name string
	// fields are what can be selected and filtered by.
	fields []string
}

func (s *shape) field(name string) (string, bool) {
	i := slices.IndexFunc(s.fields, func(f string) bool { return is(f, name) })
	if i < 0 {
		return "", false
	}
	return s.fields[i], true
}

// view is how rows of a listing become entities.
type view[T any] struct {
	shape
	// context is the fragment of @odata.context.
	context string
	// typed adds @odata.type to each row of a listing.
	typed bool
	show  func(T) entity
	// expand are the navigation properties that $expand knows.
	expand map[string]func(T, expansion) (any, error)
}

// query is what the options of a request ask for.
type query struct {
	filter   *condition
	selected []string
	expand   []expansion
	top      int
	skip     int
	count    bool
}

// parse reads the options. A filter with too many alternatives is refused with
// the code tooMany, or as role management does where that is empty.
func (c *call) parse(s *shape, tooMany string) (query, error) {
	var q query
	var err error
	if q.filter, err = parseFilter(c.query["$filter"]); err != nil {
		return q, invalidFilter(c.query["$filter"])
	}
	if q.filter.alternatives() > maxAlternatives {
		if tooMany != "" {
			return q, faultf(http.StatusBadRequest, tooMany, "Too many child clauses specified in search filter expression containing 'OR' operators: %d. Max allowed: %d.", q.filter.alternatives(), maxAlternatives)
		}
		return q, pimFault(http.StatusBadRequest, "InvalidFilter", "The filter has too many conditions: %d of at most %d.", q.filter.alternatives(), maxAlternatives)
	}
	for _, name := range q.filter.properties() {
		if _, ok := s.field(name); !ok {
			return q, pimFault(http.StatusBadRequest, "InvalidFilter", "Could not find a property named '%.100s' on type 'microsoft.graph.%s'.", name, s.name)
		}
	}
	if q.selected, err = s.selection(c.query["$select"]); err != nil {
		return q, err
	}
	if q.expand, err = parseExpand(c.query["$expand"]); err != nil {
		return q, badRequest("Parsing OData Select and Expand failed: the expansion '%.100s' is not understood.", c.query["$expand"])
	}
	for name, into := range map[string]*int{"$top": &q.top, "$skip": &q.skip, "$skiptoken": &q.skip} {
		text := c.query[name]
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > 1<<20 || name == "$top" && n == 0 {
			return q, badRequest("Invalid value '%.100s' for %s query option.", text, name)
		}
		*into = max(*into, n)
	}
	q.count = is(c.query["$count"], "true")
	return q, nil
}

func invalidFilter(filter string) *fault {
	return pimFault(http.StatusBadRequest, "InvalidFilter", "The filter '%.300s' is not supported.", filter)
}

func (s *shape) selection(text string) ([]string, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var out []string
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if name == "*" {
			return nil, nil
		}
		field, ok := s.field(name)
		if !ok {
			return nil, badRequest("Parsing OData Select and Expand failed: Could not find a property named '%.100s' on type 'microsoft.graph.%s'.", name, s.name)
		}
		out = append(out, field)
	}
	return out, nil
}

func (e entity) only(selected []string) entity {
	if selected == nil {
		return e
	}
	some := entity{}
	for _, name := range selected {
		some[name] = e[name]
	}
	return some
}

// navigation is the property that an expansion names.
func (v *view[T]) navigation(x expansion) (string, error) {
	for name := range v.expand {
		if is(name, x.name) {
			return name, nil
		}
	}
	return "", badRequest("Parsing OData Select and Expand failed: Could not find a property named '%.100s' on type 'microsoft.graph.%s'.", x.name, v.name)
}

// finish selects from and expands one row.
func (v *view[T]) finish(row T, e entity, q query) (entity, error) {
	out := maps.Clone(e.only(q.selected))
	for _, x := range q.expand {
		name, err := v.navigation(x)
		if err != nil {
			return nil, err
		}
		value, err := v.expand[name](row, x)
		if err != nil {
			return nil, err
		}
		out[name] = value
	}
	return out, nil
}

// writeList answers with the rows that the filter leaves, in pages. Where cut is
// above zero, nothing comes after that many.
func writeList[T any](c *call, v view[T], q query, rows []T, cut int) error {
	for _, x := range q.expand {
		// One that there is not is refused without rows too.
		if _, err := v.navigation(x); err != nil {
			return err
		}
	}
	type found struct {
		row T
		e   entity
	}
	var hits []found
	for _, r := range rows {
		if e := v.show(r); q.filter.match(e) {
			hits = append(hits, found{r, e})
		}
	}
	if cut > 0 && len(hits) > cut {
		hits = hits[:cut]
	}
	total := len(hits)
	hits = hits[min(q.skip, total):]
	size := c.settings.PageSize
	if q.top > 0 && (size == 0 || q.top < size) {
		size = q.top
	}
	more := size > 0 && len(hits) > size
	if more {
		hits = hits[:size]
	}
	value := []entity{}
	for _, h := range hits {
		e, err := v.finish(h.row, h.e, q)
		if err != nil {
			return err
		}
		if v.typed {
			e["@odata.type"] = "#microsoft.graph." + v.name
		}
		value = append(value, e)
	}
	body := map[string]any{"@odata.context": c.context(v.context, q.selected), "value": value}
	if q.count {
		body["@odata.count"] = total
	}
	if more {
		body["@odata.nextLink"] = c.next(q.skip + size)
	}
	writeJSON(c.w, http.StatusOK, body)
	return nil
}

// writeOne answers with one row.
func writeOne[T any](c *call, v view[T], row T, status int) error {
	q, err := c.parse(&v.shape, "")
	if err != nil {
		return err
	}
	e, err := v.finish(row, v.show(row), q)
	if err != nil {
		return err
	}
	e["@odata.context"] = c.context(v.context, q.selected) + "/$entity"
	writeJSON(c.w, status, e)
	return nil
}

func (c *call) context(fragment string, selected []string) string {
	context := c.s.Base + "/" + c.version + "/$metadata#" + fragment
	if selected != nil {
		context += "(" + strings.Join(selected, ",") + ")"
	}
	return context
}

// next is the address of the page that begins after that many rows.
func (c *call) next(skip int) string {
	q := options(c.r.URL)
	for k := range q {
		if is(strings.TrimPrefix(k, "$"), "skip") {
			q.Del(k)
		}
	}
	q.Set("$skiptoken", strconv.Itoa(skip))
	u := url.URL{Path: c.r.URL.Path, RawPath: c.r.URL.RawPath, RawQuery: q.Encode()}
	return c.s.Base + u.EscapedPath() + "?" + u.RawQuery
}
