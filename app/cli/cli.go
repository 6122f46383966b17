package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/pim"
)

type app struct {
	Params
	flags   flags
	options AgentOptions
	// began says that the command line was understood.
	began bool
}

// Run carries out the command line args, without the program's name, and returns
// the exit code. When ctx ends, a command stops with 130, and an agent with 0.
func Run(ctx context.Context, p Params, args []string) int {
	a := &app{Params: p}
	if a.Location == nil {
		a.Location = time.Local
	}
	if len(args) > 0 && args[0] == "tenant" {
		// The tenant has flags of its own.
		return p.Tenant(ctx, args[1:], p.Stdout, p.Stderr)
	}
	root := a.commands()
	root.SetArgs(args)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	err := root.ExecuteContext(ctx)
	if err != nil && !a.began {
		// What is wrong may stand before --json, which was not read then.
		a.flags.json = a.flags.json || slices.Contains(args, "--json")
		if _, ok := errors.AsType[*usageError](err); !ok {
			err = usagef("%s; see %s --help.", pim.CleanText(upperFirst(flagText(err)), 300), "roletray")
		}
	}
	a.report(err)
	return exitCode(ctx, err)
}

// flagText says a wrong flag without the words of the parser of its value.
func flagText(err error) string {
	text := err.Error()
	number, ok := errors.AsType[*strconv.NumError](err)
	if !ok {
		return text
	}
	what := "a number"
	switch {
	case errors.Is(err, strconv.ErrRange):
		what = "a number that is allowed"
	case number.Func == "ParseInt":
		what = "a whole number"
	case number.Func == "ParseBool":
		what = "true or false"
	}
	return strings.TrimSuffix(text, ": "+number.Error()) + " is not " + what
}

func (a *app) commands() *cobra.Command {
	root := a.rootCommand()
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%s; see %s --help.", pim.CleanText(upperFirst(flagText(err)), 300), c.CommandPath())
	})
	f := root.PersistentFlags()
	f.StringVar(&a.flags.profile, "profile", "", "keep every file and the socket in `DIR`")
	f.BoolVar(&a.flags.demo, "demo", false, "use a simulated company; no account is needed and nothing real is touched")
	f.Float64Var(&a.flags.speed, "speed", 1, "let the demo's clock run `N` times as fast")
	f.StringVar(&a.flags.cloud, "cloud", "", "public, usgov, dod, china or a `FILE` with custom endpoints")
	f.StringVar(&a.flags.account, "account", "", "the account, by a part of its user `NAME`, where there are several")
	f.BoolVar(&a.flags.json, "json", false, "print JSON")
	root.AddCommand(
		a.agentCommand(), a.windowCommand(), a.quitCommand(),
		a.listCommand(), a.statusCommand(), a.requestsCommand(),
		a.activateCommand(), a.checkCommand(), a.scopesCommand(), a.favoritesCommand(),
		a.continueCommand(), a.deactivateCommand(), a.cancelCommand(),
		a.prolongCommand(pim.ActionExtend), a.prolongCommand(pim.ActionRenew),
		a.approvalsCommand(), a.decideCommand(true), a.decideCommand(false), a.historyCommand(),
		a.signInCommand(), a.signOutCommand(),
		a.tenantCommand(), a.versionCommand(),
	)
	return root
}

// run makes a command's body of do, which is told of sign-in pages that no browser shows.
func (a *app) run(do func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return a.prepared(func(ctx context.Context, args []string) error {
		return do(pim.WithSignInPage(ctx, a.showSignInPage), args)
	})
}

// prepared makes a command's body of do: it makes sense of the common flags first.
func (a *app) prepared(do func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		a.began = true
		var err error
		if a.options, err = a.flags.options(); err != nil {
			return err
		}
		return do(c.Context(), args)
	}
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no %q; see %s --help.", c.CommandPath(), pim.CleanText(args[0], 60), c.CommandPath())
	}
	return nil
}

// someArgs wants at least a word of what, which the commands in where show.
func someArgs(what, where string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(strings.Fields(strings.Join(args, " "))) == 0 {
			return usagef("Name %s, such as in: %s; roletray %s shows them.", what, c.Example, where)
		}
		return nil
	}
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			a.began = true
			if a.flags.json {
				return a.print(struct {
					Version string `json:"version"`
				}{a.Version})
			}
			_, err := fmt.Fprintln(a.Stdout, a.Version)
			return err
		},
	}
}

// tenantCommand stands for the help; Run hands the real one over whole.
func (a *app) tenantCommand() *cobra.Command {
	return &cobra.Command{
		Use: "tenant", Short: "Serve a simulated tenant, for tests of any client", DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			a.began = true
			if code := a.Tenant(c.Context(), args, a.Stdout, a.Stderr); code != 0 {
				return outcome(code)
			}
			return nil
		},
	}
}

// report says an error: in a sentence for the person, and with --json in the
// output too.
func (a *app) report(err error) {
	if err == nil {
		return
	}
	if _, ok := errors.AsType[outcome](err); ok {
		return
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(a.Stderr, "Interrupted.")
		return
	}
	p := problemOf(err)
	fmt.Fprintln(a.Stderr, clean(p.Text, 1000))
	if a.flags.json {
		_ = a.print(struct {
			Error *pim.Problem `json:"error"`
		}{p})
	}
}

// done ends a command that has one thing to say.
func (a *app) done(text string) error {
	if a.flags.json {
		return a.print(struct {
			Done bool   `json:"done"`
			Text string `json:"text"`
		}{true, text})
	}
	_, err := fmt.Fprintln(a.Stdout, text)
	return err
}

func (a *app) print(v any) error { return printTo(a.Stdout, v) }

func printTo(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// clean makes a text safe for a terminal, line by line. Lines stay indented.
func clean(s string, limit int) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = l[:len(l)-len(strings.TrimLeft(l, " "))] + pim.CleanText(l, limit)
	}
	return strings.Join(lines, "\n")
}

func name(s string) string { return pim.CleanText(s, 80) }

// moment says a point in time on the clock of the wall, with the day where it is
// not today's.
func (a *app) moment(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	t, now = t.In(a.Location), now.In(a.Location)
	switch {
	case t.Format(time.DateOnly) == now.Format(time.DateOnly):
		return view.Clock(t)
	case t.Year() == now.Year():
		return t.Format("2 Jan ") + view.Clock(t)
	}
	return t.Format("2 Jan 2006")
}

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// firstReadLimit is how long a command waits for what was never read: some
// lists take the service half a minute, and the others are worth seeing before.
const firstReadLimit = 20 * time.Second

// ready returns the newest state, once the accounts have been read for the first
// time. It waits for that and not for a later read.
func ready(ctx context.Context, c *local.Client) (*local.State, error) {
	waiting, cancel := context.WithTimeout(ctx, firstReadLimit)
	defer cancel()
	var last *local.State
	for s, err := range c.Watch(waiting) {
		if err != nil {
			if last != nil && !last.Starting && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
				return last, nil
			}
			return nil, err
		}
		last = s
		if !s.Starting && !firstRead(s) {
			return s, nil
		}
	}
	return nil, ctx.Err()
}

// refreshed is ready, after everything was read again where again says so. What could not
// be read is no error: the state tells.
func refreshed(ctx context.Context, c *local.Client, again bool) (*local.State, error) {
	state, err := ready(ctx, c)
	if err != nil || !again {
		return state, err
	}
	err = c.Refresh(ctx, local.RefreshRequest{})
	if _, told := errors.AsType[*local.Error](err); err != nil && !told {
		return nil, err
	}
	return c.State(ctx)
}

// firstRead says whether something was never read and may still come.
func firstRead(s *local.State) bool {
	for _, snap := range s.Accounts {
		if snap.SignIn != nil {
			continue
		}
		if len(snap.Parts) == 0 || slices.ContainsFunc(snap.Parts, func(p pim.Part) bool { return p.At.IsZero() && p.Problem == nil }) {
			return true
		}
	}
	return false
}

// accounts are those that the flags --account and --cloud choose. Nobody at all is
// a sign-in needed.
func (a *app) accounts(s *local.State) ([]*pim.Snapshot, error) {
	if len(s.Accounts) == 0 {
		return nil, signInNeeded("Nobody is signed in; sign in with: roletray signin")
	}
	var out []*pim.Snapshot
	for _, snap := range s.Accounts {
		acc := snap.Account
		if a.flags.cloud != "" && !sameCloud(acc.Cloud, a.options.Cloud) {
			continue
		}
		want := strings.ToLower(a.flags.account)
		if want != "" && acc.ID != want && !strings.Contains(strings.ToLower(acc.Username+"\n"+acc.Name), want) {
			continue
		}
		out = append(out, snap)
	}
	switch {
	case len(out) > 0:
		return out, nil
	case a.flags.account != "":
		return nil, usagef("No account that is signed in has %q in its name; roletray status shows them.", pim.CleanText(a.flags.account, 60))
	}
	return nil, signInNeeded("Nobody is signed in to this cloud; sign in with: roletray signin --cloud " + pim.CleanText(a.flags.cloud, 200))
}

func sameCloud(a, b pim.Cloud) bool {
	return strings.EqualFold(a.Authority, b.Authority) && strings.EqualFold(a.ARM, b.ARM) && strings.EqualFold(a.Graph, b.Graph)
}
