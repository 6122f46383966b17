// Testreport reads what "go test -json" wrote to the files that it is given, and prints the
// output of what failed, the ten slowest tests, and as its last line the counts:
//
//	12 passed, 0 failed, 1 skipped
//
// It exits with 1 when something failed, when a file holds no test that passed (a part of the
// tests that did not run is not a part that is right), and, where CI=true, when a test was skipped.
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Args[1:], os.Getenv("CI") == "true", os.Stdout, os.Stderr))
}

func run(files []string, ci bool, stdout, stderr io.Writer) int {
	if len(files) == 0 {
		fmt.Fprintln(stderr, "testreport: name the files that go test -json wrote")
		return 2
	}
	var all report
	for _, name := range files {
		part, err := readFile(name)
		if err != nil {
			fmt.Fprintln(stderr, "testreport:", err)
			return 2
		}
		if part.passed == 0 {
			part.failures = append(part.failures, result{name: name, output: "no test passed in this part\n"})
		}
		all.add(part)
	}
	all.print(stdout)
	if len(all.failures) > 0 || ci && len(all.skips) > 0 {
		return 1
	}
	return 0
}

func readFile(name string) (report, error) {
	f, err := os.Open(name)
	if err != nil {
		return report{}, err
	}
	defer f.Close()
	r, err := read(f)
	if err != nil {
		return report{}, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}
