package main

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// rule is one wall: it returns a sentence for each place where a file breaks it.
type rule struct {
	name  string
	check func([]source) []string
}

var rules = []rule{
	{"arrows point down", eachFile(arrows)},
	{"the tenant stands alone", eachFile(tenant)},
	{"only the window is Fyne", eachFile(fyne)},
	{"test support stays in tests", eachFile(testSupport)},
	{"no unsafe call", eachFile(calls)},
	{"no init", eachFile(inits)},
	{"every package says what it is for", packageComments},
	{"tests do not sleep", eachFile(sleeps)},
}

func eachFile(check func(source) []string) func([]source) []string {
	return func(files []source) []string {
		var broken []string
		for _, f := range files {
			broken = append(broken, check(f)...)
		}
		return broken
	}
}

// allowed names, for the rooms that may not import whatever they like of ours, what they may
// import. Tests of a room may also use the tenant and their neighbours.
var allowed = map[string][]string{
	"pim":          {},
	"pim/store":    {"pim"},
	"pim/keychain": {"pim"},
	"pim/signin":   {"pim", "pim/keychain", "pim/store"},
	"pim/arm":      {"pim", "pim/wire"},
	"pim/wire":     {"pim"},
	"pim/graph":    {"pim", "pim/wire"},
	"pim/session":  {"pim", "pim/arm", "pim/graph", "pim/signin", "pim/store", "pim/keychain"},
	"app/view":     {"pim", "app/local", "assets"},
	"app/window":   {"pim", "app/local", "app/view", "app/window/theme", "app/window/ui", "assets", "assets/translations"},
}

func arrows(f source) []string {
	var broken []string
	room := f.dir()
	if room == "pim/tenant" || strings.HasPrefix(room, "pim/tenant/") {
		return nil
	}
	for _, to := range ours(f) {
		limits, limited := allowed[room]
		switch {
		case to == room:
			continue
		case strings.HasPrefix(room+"/", "pim/") && !strings.HasPrefix(to+"/", "pim/"),
			limited && !f.isTest() && !slices.Contains(limits, to):
			broken = append(broken, fmt.Sprintf("%s: %s may not import %s", f.name, room, to))
		}
	}
	return broken
}

func tenant(f source) []string {
	var broken []string
	inside := f.dir() == "pim/tenant" || strings.HasPrefix(f.dir(), "pim/tenant/")
	for _, to := range ours(f) {
		part := strings.HasPrefix(to, "pim/tenant/")
		switch {
		case inside && !part && to != "pim/tenant":
			broken = append(broken, fmt.Sprintf("%s: the tenant may not import %s", f.name, to))
		case !inside && part:
			broken = append(broken, fmt.Sprintf("%s: only the tenant may import %s", f.name, to))
		}
	}
	return broken
}

func fyne(f source) []string {
	var broken []string
	inWindow := f.dir() == "app/window" || strings.HasPrefix(f.dir(), "app/window/")
	for _, to := range imports(f) {
		switch {
		case strings.HasPrefix(to, "fyne.io/fyne/") && !inWindow:
			broken = append(broken, fmt.Sprintf("%s: only app/window may import %s", f.name, to))
		case (strings.HasPrefix(to, "fyne.io/fyne/") || to == "roletray/app/window") && !needsWindow(f):
			broken = append(broken, fmt.Sprintf("%s: %s needs the build constraint !nowindow", f.name, to))
		}
	}
	return broken
}

// needsWindow tells whether the tag nowindow keeps a file out of every build.
func needsWindow(f source) bool {
	for _, group := range f.ast.Comments {
		for _, c := range group.List {
			if c.Pos() > f.ast.Package || !constraint.IsGoBuild(c.Text) {
				continue
			}
			if expr, err := constraint.Parse(c.Text); err == nil {
				return demandsNoTag(expr, "nowindow")
			}
		}
	}
	return false
}

func demandsNoTag(x constraint.Expr, tag string) bool {
	switch x := x.(type) {
	case *constraint.AndExpr:
		return demandsNoTag(x.X, tag) || demandsNoTag(x.Y, tag)
	case *constraint.OrExpr:
		return demandsNoTag(x.X, tag) && demandsNoTag(x.Y, tag)
	case *constraint.NotExpr:
		of, ok := x.X.(*constraint.TagExpr)
		return ok && of.Tag == tag
	default:
		return false
	}
}

func testSupport(f source) []string {
	if f.isTest() || f.dir() == "app/desktoptest" {
		return nil
	}
	var broken []string
	for _, to := range imports(f) {
		if to == "testing" || to == "roletray/app/desktoptest" {
			broken = append(broken, fmt.Sprintf("%s: %s is for tests", f.name, to))
		}
	}
	return broken
}

func calls(f source) []string {
	var broken []string
	ast.Inspect(f.ast, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		var why string
		switch name := called(call); name {
		case "DoAndWait":
			why = "DoAndWait stops for ever on the UI goroutine: use Do"
		case "SendNotification", "ScheduleNotification":
			why = name + " runs text from servers as PowerShell: use app/notify"
		case "Command", "CommandContext":
			if slices.ContainsFunc(call.Args, isPowerShell) {
				why = "PowerShell expands text from servers: call the system itself"
			}
		}
		if why != "" {
			broken = append(broken, at(f, call)+why)
		}
		return true
	})
	return broken
}

// called returns the last part of the name of what is called.
func called(call *ast.CallExpr) string {
	switch fun := call.Fun.(type) {
	case *ast.SelectorExpr:
		return fun.Sel.Name
	case *ast.Ident:
		return fun.Name
	default:
		return ""
	}
}

func isPowerShell(x ast.Expr) bool {
	lit, ok := x.(*ast.BasicLit)
	if !ok {
		return false
	}
	text := strings.ToLower(lit.Value)
	return strings.Contains(text, "powershell") || strings.Contains(text, "pwsh")
}

func inits(f source) []string {
	var broken []string
	for _, d := range f.ast.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			broken = append(broken, at(f, fn)+"init works before main can say no")
		}
	}
	return broken
}

func packageComments(files []source) []string {
	said := map[string]bool{}
	for _, f := range files {
		if !f.isTest() {
			said[f.dir()] = said[f.dir()] || f.ast.Doc != nil
		}
	}
	var broken []string
	for _, dir := range slices.Sorted(maps.Keys(said)) {
		if !said[dir] {
			broken = append(broken, dir+": no file has a package comment")
		}
	}
	return broken
}

// sleeps finds what makes a test slow, or right only on a fast computer. Inside synctest.Test
// a sleep takes no time and is exact; so it does in a helper of tests that use synctest, where
// only tests themselves are looked at.
func sleeps(f source) []string {
	if !f.isTest() && f.dir() != "app/desktoptest" {
		return nil
	}
	inBubbles := slices.Contains(imports(f), "testing/synctest")
	var broken []string
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			return !inBubbles || strings.HasPrefix(n.Name.Name, "Test")
		case *ast.CallExpr:
			if selects(n.Fun, "synctest", "Test") {
				return false
			}
			if selects(n.Fun, "time", "Sleep") {
				broken = append(broken, at(f, n)+"wait for a condition with a deadline, or sleep inside synctest.Test")
			}
		}
		return true
	})
	return broken
}

func selects(x ast.Expr, pkg, name string) bool {
	sel, ok := x.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && id.Name == pkg
}

func at(f source, n ast.Node) string {
	return fmt.Sprintf("%s:%d: ", f.name, f.fset.Position(n.Pos()).Line)
}

// imports returns the paths that a file imports.
func imports(f source) []string {
	var paths []string
	for _, i := range f.ast.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// ours returns the rooms of this module that a file imports, such as "pim/arm".
func ours(f source) []string {
	var rooms []string
	for _, p := range imports(f) {
		if room, ok := strings.CutPrefix(p, "roletray/"); ok {
			rooms = append(rooms, room)
		}
	}
	return rooms
}
