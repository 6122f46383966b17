// Command typecheck holds packages to the rules of the language as they would be
// built for another system, cgo included, without that system's C headers: whatever is
// said about C counts as true. It finds what vet cannot where a package needs cgo there.
//
//	go run ./scripts/typecheck -os darwin -arch arm64 -tags nowindow ./...
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

func main() {
	goos := flag.String("os", "darwin", "the `system` to check for")
	arch := flag.String("arch", "arm64", "its `architecture`")
	tags := flag.String("tags", "", "build `tags`")
	flag.Parse()
	problems, checked, err := check(*goos, *arch, *tags, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "typecheck:", err)
		os.Exit(1)
	}
	for _, p := range problems {
		fmt.Println(p)
	}
	fmt.Printf("%s/%s: %d packages, %d problems\n", *goos, *arch, checked, len(problems))
	if len(problems) > 0 {
		os.Exit(1)
	}
}

// listed is a package as "go list -json" tells of it.
type listed struct {
	ImportPath        string
	Dir               string
	GoFiles, CgoFiles []string
	ImportMap         map[string]string
	DepOnly           bool
	Error             *struct{ Err string }
}

// check returns what is wrong with the packages that the patterns name, and how
// many they are.
func check(goos, arch, tags string, patterns []string) (problems []string, checked int, err error) {
	list := exec.Command("go", append([]string{"list", "-e", "-deps", "-json", "-tags", tags}, patterns...)...)
	list.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+arch, "CGO_ENABLED=1")
	list.Stderr = os.Stderr
	out, err := list.StdoutPipe()
	if err != nil {
		return nil, 0, err
	}
	if err := list.Start(); err != nil {
		return nil, 0, err
	}
	c := checker{files: token.NewFileSet(), known: map[string]*types.Package{"unsafe": types.Unsafe}, sizes: types.SizesFor("gc", arch)}
	// A package is listed after all that it imports.
	for dec := json.NewDecoder(out); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, 0, fmt.Errorf("read the list of packages: %w", err)
		}
		found, err := c.check(p)
		if err != nil {
			return nil, 0, err
		}
		if !p.DepOnly {
			checked++
			problems = append(problems, found...)
		}
	}
	if err := list.Wait(); err != nil {
		return nil, 0, fmt.Errorf("list the packages: %w", err)
	}
	slices.Sort(problems)
	return problems, checked, nil
}

type checker struct {
	files *token.FileSet
	known map[string]*types.Package
	sizes types.Sizes
	// renamed is the import map of the package that is being checked.
	renamed map[string]string
}

// Import finds a package among those that were checked before.
func (c *checker) Import(path string) (*types.Package, error) {
	if p := c.known[cmp.Or(c.renamed[path], path)]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("%s was not listed", path)
}

func (c *checker) check(p listed) (problems []string, err error) {
	if p.ImportPath == "unsafe" {
		return nil, nil
	}
	if p.Error != nil {
		problems = append(problems, p.ImportPath+": "+p.Error.Err)
	}
	var files []*ast.File
	for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
		f, err := parser.ParseFile(c.files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	c.renamed = p.ImportMap
	conf := types.Config{
		FakeImportC: true, IgnoreFuncBodies: p.DepOnly, Importer: c, Sizes: c.sizes,
		Error: func(err error) { problems = append(problems, err.Error()) },
	}
	// The errors were collected; the package is usable as far as it is right.
	c.known[p.ImportPath], _ = conf.Check(p.ImportPath, c.files, files, nil)
	return problems, nil
}
