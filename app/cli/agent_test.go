package cli_test

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"roletray/app/cli"
	"roletray/app/local"
	"roletray/pim"
)

func TestStartingTheProgram(t *testing.T) {
	cloud := pim.Clouds()[1]
	for _, tt := range []struct {
		name  string
		args  []string
		check func(o cli.AgentOptions) bool
	}{
		{"plain", nil, func(o cli.AgentOptions) bool { return !o.Demo && o.Cloud == pim.Clouds()[0] && !o.DefaultProfile }},
		{"demo", []string{"--demo", "--speed", "60"}, func(o cli.AgentOptions) bool { return o.Demo && o.Speed == 60 }},
		{"cloud", []string{"--cloud", "USGov"}, func(o cli.AgentOptions) bool { return o.Cloud == cloud }},
		{"in the background", []string{"agent", "--background"}, func(cli.AgentOptions) bool { return true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			profile := filepath.Join(t.TempDir(), "new")
			var out bytes.Buffer
			ran := false
			code := cli.Run(t.Context(), cli.Params{
				Stdout: &out, Stderr: &out,
				RunAgent: func(_ context.Context, in *local.Instance, o cli.AgentOptions) error {
					ran = true
					if o.Profile != profile || !tt.check(o) {
						t.Errorf("options %+v", o)
					}
					return in.Close()
				},
				// Not nil: only a program without a window leaves its console.
				RunWindow: func(context.Context, string) int { return 0 },
			}, append(tt.args, "--profile", profile))
			want := "Roletray is running; Ctrl+C ends it.\n"
			if slices.Contains(tt.args, "--background") {
				want = ""
			}
			if code != 0 || !ran || out.String() != want {
				t.Errorf("exit code %d, ran %v: %s", code, ran, out.String())
			}
		})
	}
}

func TestStartingTheProgramAgain(t *testing.T) {
	for _, tt := range []struct {
		args  []string
		shows int
	}{{nil, 1}, {[]string{"window"}, 1}, {[]string{"agent", "--background"}, 0}} {
		agent := newScripted()
		if got := runContext(t, t.Context(), serve(t, agent), tt.args); got.code != 0 || agent.shows != tt.shows {
			t.Errorf("%v: exit code %d, the window was asked for %d times, want %d: %s", tt.args, got.code, agent.shows, tt.shows, got.stderr)
		}
	}
}

// TestCommandStartsAnAgent has the new agent begin in this process, with the flags of the command.
func TestCommandStartsAnAgent(t *testing.T) {
	profile := t.TempDir()
	var out, errs bytes.Buffer
	code := cli.Run(t.Context(), cli.Params{
		Stdout: &out, Stderr: &errs,
		StartAgent: func(_ context.Context, dir string, args []string) error {
			want := []string{"agent", "--background", "--profile", profile, "--demo", "--speed", "2"}
			if dir != profile || !slices.Equal(args, want) {
				t.Errorf("started with %q in %s, want %q", args, dir, want)
			}
			agent := newScripted()
			agent.state.Demo = true
			serveIn(t, profile, agent)
			return nil
		},
	}, []string{"list", "--demo", "--speed", "2", "--profile", profile})
	if code != 0 || out.Len() == 0 || errs.String() == "" {
		t.Errorf("exit code %d: %s%s", code, out.String(), errs.String())
	}
}

// TestFlagsOfAnotherAgent has flags that cannot mean the one that is running.
func TestFlagsOfAnotherAgent(t *testing.T) {
	for _, tt := range []struct {
		args string
		demo bool
		says string
	}{
		{"--demo", false, "running with real accounts"},
		{"window --demo", false, "running with real accounts"},
		{"activate owner --demo", false, "running with real accounts"},
		{"status --demo", false, "running with real accounts"},
		{"quit --demo", false, "running with real accounts"},
		{"activate owner --cloud public", true, "The demo is running"},
		{"activate owner --demo", true, ""},
		{"activate owner", true, ""},
		{"activate owner --cloud public", false, ""},
	} {
		agent := newScripted()
		agent.state.Demo = tt.demo
		got := run(t, serve(t, agent), tt.args)
		if tt.says == "" {
			if got.code != 0 || len(agent.wishes) != 1 {
				t.Errorf("%s: exit code %d, wishes %+v: %s", tt.args, got.code, agent.wishes, got.stderr)
			}
			continue
		}
		if got.code != 2 || !strings.Contains(got.stderr, tt.says) || got.stdout != "" {
			t.Errorf("%s: %+v, want exit code 2 and %q", tt.args, got, tt.says)
		}
		if agent.wishes != nil || agent.shows != 0 || agent.quits != 0 {
			t.Errorf("%s: the agent was asked for something", tt.args)
		}
	}
}
