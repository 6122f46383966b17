package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	passing = `{"Action":"start","Package":"a"}
{"Action":"run","Package":"a","Test":"TestOne"}
{"Action":"pass","Package":"a","Test":"TestOne","Elapsed":0.5}
{"Action":"pass","Package":"a","Test":"TestMany/x","Elapsed":2}
{"Action":"pass","Package":"a","Test":"TestMany/y","Elapsed":0.25}
{"Action":"pass","Package":"a","Test":"TestMany","Elapsed":2.25}
{"Action":"pass","Package":"a","Elapsed":3}
{"Action":"skip","Package":"without/tests"}
`
	failing = `{"Action":"output","Package":"b","Test":"TestBad/deep","Output":"    b_test.go:7: wrong\n"}
{"Action":"fail","Package":"b","Test":"TestBad/deep","Elapsed":0.1}
{"Action":"fail","Package":"b","Test":"TestBad","Elapsed":0.1}
{"Action":"pass","Package":"b","Test":"TestGood","Elapsed":0}
{"Action":"fail","Package":"b","Elapsed":0.2}
`
	unbuilt = `{"ImportPath":"c [c.test]","Action":"build-output","Output":"c.go:3:1: undefined: x\n"}
{"ImportPath":"c [c.test]","Action":"build-fail"}
{"Action":"output","Package":"c","Output":"FAIL\tc [build failed]\n"}
{"Action":"fail","Package":"c","Elapsed":0,"FailedBuild":"c [c.test]"}
`
	unbuiltItself = `{"ImportPath":"c","Action":"build-output","Output":"c.go:3:1: undefined: x\n"}
{"Action":"output","Package":"c","Output":"FAIL\tc [build failed]\n"}
{"Action":"fail","Package":"c","Elapsed":0,"FailedBuild":"c"}
`
	skipping = `{"Action":"output","Package":"d","Test":"TestTray","Output":"    no desktop\n"}
{"Action":"skip","Package":"d","Test":"TestTray","Elapsed":0}
{"Action":"pass","Package":"d","Test":"TestOther","Elapsed":0}
{"Action":"pass","Package":"d","Elapsed":0.2}
`
	died = `{"Action":"pass","Package":"e","Test":"TestFine","Elapsed":0}
{"Action":"output","Package":"e","Output":"panic: test timed out\n"}
{"Action":"fail","Package":"e","Elapsed":600}
`
	parentFails = `{"Action":"pass","Package":"f","Test":"TestP/x","Elapsed":0}
{"Action":"output","Package":"f","Test":"TestP","Output":"cleanup went wrong\n"}
{"Action":"fail","Package":"f","Test":"TestP","Elapsed":0}
{"Action":"fail","Package":"f","Elapsed":0}
`
)

func TestRun(t *testing.T) {
	tests := []struct {
		name  string
		parts []string
		ci    bool
		exit  int
		last  string
		says  []string
	}{
		{"all pass", []string{passing}, true, 0, "3 passed, 0 failed, 0 skipped", []string{"    2.00 s  a TestMany/x\n    0.50 s  a TestOne\n"}},
		{"a subtest fails", []string{passing, failing}, false, 1, "4 passed, 1 failed, 0 skipped", []string{"FAILED b TestBad/deep\n        b_test.go:7: wrong\n"}},
		{"a package does not build", []string{passing + unbuilt}, false, 1, "3 passed, 1 failed, 0 skipped", []string{"FAILED c\n    c.go:3:1: undefined: x\n"}},
		{"a package does not build for others", []string{passing + unbuiltItself}, false, 1, "3 passed, 1 failed, 0 skipped", []string{"FAILED c\n    c.go:3:1: undefined: x\n    FAIL\tc [build failed]\nslowest"}},
		{"a process dies", []string{died}, false, 1, "1 passed, 1 failed, 0 skipped", []string{"panic: test timed out"}},
		{"a parent fails by itself", []string{parentFails}, false, 1, "1 passed, 1 failed, 0 skipped", []string{"FAILED f TestP\n    cleanup went wrong\n"}},
		{"a skip at home", []string{skipping}, false, 0, "1 passed, 0 failed, 1 skipped", []string{"skipped d TestTray\n        no desktop\n"}},
		{"a skip in CI", []string{skipping}, true, 1, "1 passed, 0 failed, 1 skipped", nil},
		{"a part without tests", []string{passing, ""}, false, 1, "3 passed, 1 failed, 0 skipped", []string{"no test passed in this part"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var files []string
			for i, part := range tt.parts {
				files = append(files, filepath.Join(t.TempDir(), string(rune('a'+i))+".json"))
				if err := os.WriteFile(files[i], []byte(part), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var stdout, stderr bytes.Buffer
			if got := run(files, tt.ci, &stdout, &stderr); got != tt.exit {
				t.Errorf("exit %d, want %d; stderr %q", got, tt.exit, &stderr)
			}
			if !strings.HasSuffix(stdout.String(), "\n"+tt.last+"\n") {
				t.Errorf("last line is not %q in:\n%s", tt.last, &stdout)
			}
			for _, want := range tt.says {
				if !strings.Contains(stdout.String(), want) {
					t.Errorf("no %q in:\n%s", want, &stdout)
				}
			}
		})
	}
}

func TestRunRefusesBadInput(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("ok\ta\t0.1s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string][]string{"none": nil, "absent": {text + "x"}, "not JSON": {text}} {
		var stdout, stderr bytes.Buffer
		if got := run(files, false, &stdout, &stderr); got != 2 || stderr.Len() == 0 {
			t.Errorf("%s: exit %d, said %q; want 2 and a sentence", name, got, &stderr)
		}
	}
}
