package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// event is one line of "go test -json", as documented by "go doc test2json" and, for the
// events of a build, by "go help buildjson".
type event struct {
	Action      string
	Package     string
	ImportPath  string
	Test        string
	Elapsed     float64
	Output      string
	FailedBuild string
}

type result struct {
	name    string
	seconds float64
	output  string
}

type report struct {
	passed   int
	failures []result
	skips    []result
	timed    []result
}

type key struct{ pkg, test string }

// read counts the tests of one stream. A test with subtests counts only through them, unless
// it failed by itself; a package that failed without a failed test (it did not build, or its
// process died) counts as one failure.
func read(r io.Reader) (report, error) {
	var (
		out     report
		output  = map[key]*strings.Builder{}
		builds  = map[string]*strings.Builder{}
		ended   []event
		parents = map[key]bool{}
		broken  = map[key]bool{} // a test or package below this failed
	)
	for dec := json.NewDecoder(r); ; {
		var e event
		if err := dec.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return report{}, fmt.Errorf("not the output of go test -json: %w", err)
		}
		switch e.Action {
		case "output":
			write(output, key{e.Package, e.Test}, e.Output)
		case "build-output":
			write(builds, e.ImportPath, e.Output)
		case "pass", "fail", "skip":
			ended = append(ended, e)
			if e.Test == "" {
				continue
			}
			for _, above := range ancestors(e.Test) {
				k := key{e.Package, above}
				parents[k] = parents[k] || above != ""
				broken[k] = broken[k] || e.Action == "fail"
			}
		}
	}
	for _, e := range ended {
		k := key{e.Package, e.Test}
		res := result{name: strings.TrimSpace(e.Package + " " + e.Test), seconds: e.Elapsed}
		if b := output[k]; b != nil {
			res.output = b.String()
		}
		switch {
		case e.Action == "fail" && !broken[k]:
			if b := builds[e.FailedBuild]; b != nil {
				res.output = b.String() + res.output
			}
			out.failures = append(out.failures, res)
		case e.Test == "" || parents[k]:
			continue
		case e.Action == "pass":
			out.passed++
		case e.Action == "skip":
			out.skips = append(out.skips, res)
		}
		if e.Test != "" {
			out.timed = append(out.timed, res)
		}
	}
	return out, nil
}

func write[K comparable](to map[K]*strings.Builder, k K, s string) {
	if to[k] == nil {
		to[k] = new(strings.Builder)
	}
	to[k].WriteString(s)
}

// ancestors names the tests above a subtest, and with "" its package.
func ancestors(test string) []string {
	above := []string{""}
	for i, c := range test {
		if c == '/' {
			above = append(above, test[:i])
		}
	}
	return above
}

func (r *report) add(o report) {
	r.passed += o.passed
	r.failures = append(r.failures, o.failures...)
	r.skips = append(r.skips, o.skips...)
	r.timed = append(r.timed, o.timed...)
}

func (r *report) print(w io.Writer) {
	for _, f := range r.failures {
		fmt.Fprintf(w, "FAILED %s\n%s", f.name, indent(f.output))
	}
	for _, s := range r.skips {
		fmt.Fprintf(w, "skipped %s\n%s", s.name, indent(s.output))
	}
	slices.SortStableFunc(r.timed, func(a, b result) int { return cmp.Compare(b.seconds, a.seconds) })
	if len(r.timed) > 0 {
		fmt.Fprintln(w, "slowest tests:")
	}
	for _, t := range r.timed[:min(10, len(r.timed))] {
		fmt.Fprintf(w, "%8.2f s  %s\n", t.seconds, t.name)
	}
	fmt.Fprintf(w, "%d passed, %d failed, %d skipped\n", r.passed, len(r.failures), len(r.skips))
}

func indent(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString("    " + line)
	}
	if s != "" && !strings.HasSuffix(s, "\n") {
		b.WriteByte('\n')
	}
	return b.String()
}
