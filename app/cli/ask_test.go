package cli_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"roletray/app/cli"
	"roletray/pim"
	"roletray/pim/session"
)

// sentKeys are the roles of what was sent, call by call.
func sentKeys(s *scripted) (out [][]pim.Key) {
	for _, wishes := range s.sent {
		var keys []pim.Key
		for _, w := range wishes {
			keys = append(keys, w.Key)
		}
		out = append(out, keys)
	}
	return out
}

func TestSeveralAreCheckedFirst(t *testing.T) {
	owner, contributor := role("Owner", "", "/subscriptions/1").Key(), role("Contributor", "", "/subscriptions/1").Key()
	const both = "activate owner --also contributor"
	for _, tt := range []struct {
		name, args string
		change     func(*scripted)
		// answers are the person's; nil is a command line without one.
		answers   []bool
		questions []string
		code      int
		checks    int
		sent      [][]pim.Key
		said      []string
	}{
		{"nothing found", both, nil, []bool{}, nil, 0, 1, [][]pim.Key{{owner, contributor}}, nil},
		{"one role", "activate owner", nil, nil, nil, 0, 0, [][]pim.Key{{owner}}, nil},
		{"no check", both + " --no-check", refusedFirst, nil, nil, 0, 0, [][]pim.Key{{owner, contributor}}, nil},
		{"nobody to ask", both, refusedFirst, nil, nil, 1, 1, [][]pim.Key{{contributor}}, []string{"give a ticket number"}},
		{"yes by flag", both + " --yes", refusedFirst, []bool{}, nil, 1, 1, [][]pim.Key{{contributor}}, []string{"give a ticket number"}},
		{
			"yes", both, refusedFirst,
			[]bool{true},
			[]string{"Activate 1 of 2 roles?"},
			1, 1,
			[][]pim.Key{{contributor}},
			[]string{"give a ticket number", "would activate Contributor"},
		},
		{
			"no", both, refusedFirst,
			[]bool{false},
			[]string{"Activate 1 of 2 roles?"},
			1, 1, nil,
			[]string{"give a ticket number", "Nothing was activated."},
		},
		{"all refused", both, func(s *scripted) {
			f := pim.NewFinding(&pim.Error{Code: pim.CodePending})
			s.findings = []pim.Finding{f, f}
		}, []bool{}, nil, 1, 1, nil, []string{"Owner · Production: failed: A request for this role is already waiting"}},
		{
			"a check was taken for a request, and the person gives up", both,
			func(s *scripted) {
				refusedFirst(s)
				s.findings[1] = pim.Finding{Operation: guid, Problem: pim.Explain(&pim.SentError{})}
				s.operation.State = pim.OperationWaiting
			},
			[]bool{false, true},
			[]string{"Activate 1 of 2 roles?", "Withdraw the request for Contributor · Production?"},
			1, 1, nil,
			[]string{"took this for a request"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			agent := newScripted()
			if tt.change != nil {
				tt.change(agent)
			}
			var questions []string
			var ask func(context.Context, string) (bool, error)
			if tt.answers != nil {
				ask = func(_ context.Context, q string) (bool, error) {
					questions = append(questions, q)
					return tt.answers[len(questions)-1], nil
				}
			}
			got := runAsked(t, t.Context(), serve(t, agent), split(tt.args), ask)
			if got.code != tt.code || agent.checks != tt.checks {
				t.Errorf("exit code %d and %d checks, want %d and %d: %s", got.code, agent.checks, tt.code, tt.checks, got.stderr)
			}
			if diff := cmp.Diff(tt.sent, sentKeys(agent)); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
			if !slices.Equal(questions, tt.questions) {
				t.Errorf("asked %q, want %q", questions, tt.questions)
			}
			for _, text := range tt.said {
				if strings.Count(got.stdout+got.stderr, text) != 1 {
					t.Errorf("does not say %q once: %s%s", text, got.stdout, got.stderr)
				}
			}
			if strings.Contains(strings.Join(tt.questions, " "), "Withdraw") != (agent.cancelled != "") {
				t.Errorf("withdrawn is %q", agent.cancelled)
			}
		})
	}
}

// What a check was taken for goes along with the rest, as what it is.
func TestWhatACheckHasSentIsNotSentAgain(t *testing.T) {
	agent := newScripted()
	agent.findings = []pim.Finding{{Operation: guid, Problem: pim.Explain(&pim.SentError{})}, {}}
	got := run(t, serve(t, agent), "activate owner --also contributor")
	if got.code != 0 || len(agent.sent) != 1 || agent.sent[0][0].Operation != guid || agent.sent[0][1].Operation != "" {
		t.Errorf("exit code %d: %s; sent %+v", got.code, got.stderr, agent.sent)
	}
}

func TestNextWiderScopeIsOneAnswerAway(t *testing.T) {
	owner := role("Owner", "", "/subscriptions/1").Key()
	const args = "activate owner --scope /subscriptions/1/resourceGroups/rg-web --duration 2h --reason x"
	wish := func(id, name string, kind pim.ScopeType) []session.Wish {
		w := session.Wish{Key: owner, Scope: pim.Scope{ID: id, Name: name, Type: kind}}
		w.Duration, w.Justification = 2*60*60e9, "x"
		return []session.Wish{w}
	}
	narrow, wide := wish("/subscriptions/1/resourceGroups/rg-web", "", ""), wish("/subscriptions/1", "Production", pim.ScopeSubscription)
	for _, tt := range []struct {
		name string
		yes  bool
		code int
		sent [][]session.Wish
		said string
	}{
		{"yes", true, 0, [][]session.Wish{narrow, wide}, "Owner · Production is active until 15:00."},
		{"no", false, 1, [][]session.Wish{narrow}, "You may not do this at this scope."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			agent := newScripted()
			agent.wider = true
			var asked []string
			got := runAsked(t, t.Context(), serve(t, agent), split(args), func(_ context.Context, q string) (bool, error) {
				asked = append(asked, q)
				return tt.yes, nil
			})
			if !slices.Equal(asked, []string{"Activate Owner · Production instead?"}) || got.code != tt.code {
				t.Errorf("exit code %d, asked %q: %s", got.code, asked, got.stderr)
			}
			if diff := cmp.Diff(tt.sent, agent.sent); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
			if strings.Count(got.stdout+got.stderr, tt.said) != 1 {
				t.Errorf("says %s%s", got.stdout, got.stderr)
			}
		})
	}
	t.Run("nobody to ask", func(t *testing.T) {
		agent := newScripted()
		agent.wider = true
		got := run(t, serve(t, agent), args)
		if got.code != 1 || len(agent.sent) != 1 || !strings.Contains(got.stderr, "with --scope /subscriptions/1\n") {
			t.Errorf("exit code %d: %s; sent %+v", got.code, got.stderr, agent.sent)
		}
	})
}

func TestNobodyIsAskedWithoutATerminal(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()  //nolint:errcheck // Nothing was written.
	defer out.Close() //nolint:errcheck // Nothing was written.
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close() //nolint:errcheck // Only read from.
	if cli.AskOn(in, out) != nil || cli.AskOn(null, out) != nil {
		t.Error("there is no terminal")
	}
}
