package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"
)

// Command is the tenant command: it prints one line of JSON, an Info, and
// serves until ctx ends. It returns the exit code: 0 after serving, 1 if the
// tenant cannot be started or the line not be written, 2 for wrong use.
func Command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o Options
	var start string
	flags := flag.NewFlagSet("roletray tenant", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.Listen, "listen", "127.0.0.1:0", "loopback `address` of the first of four ports; port 0 takes free ones")
	flags.StringVar(&o.Seed, "seed", "demo", "what the tenant holds: demo, large or empty")
	flags.Float64Var(&o.Speed, "speed", 1, "seconds of the tenant's clock in one second")
	flags.StringVar(&start, "start", "", "the tenant's `time` at the start, such as 2026-03-01T08:00:00Z (default now)")
	flags.StringVar(&o.CADir, "ca-dir", "", "`folder` for ca.pem (default one of its own, removed at the end)")
	wrong := func(err error) int {
		fmt.Fprintf(stderr, "roletray tenant: %s. See roletray tenant --help.\n", strings.TrimSuffix(err.Error(), "."))
		return 2
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(stdout, "Serves a simulated Microsoft Entra tenant on this computer until it is stopped.\n\nUsage: roletray tenant [flags]\n\nFlags:")
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return 0
	} else if err != nil {
		return wrong(err)
	}
	if flags.NArg() > 0 {
		return wrong(fmt.Errorf("it takes flags only, not %q", flags.Arg(0)))
	}
	if o.Speed == 0 {
		return wrong(errors.New("the speed must be above 0"))
	}
	if start != "" {
		at, err := time.Parse(time.RFC3339, start)
		if err != nil || at.IsZero() {
			return wrong(fmt.Errorf("the start must be a time such as 2026-03-01T08:00:00Z, not %q", start))
		}
		o.Start = at
	}
	if _, err := o.withDefaults(); err != nil {
		return wrong(err)
	}
	t, err := Start(ctx, o)
	if err != nil {
		fmt.Fprintf(stderr, "roletray tenant: %v\n", err)
		return 1
	}
	err = json.NewEncoder(stdout).Encode(t.Info())
	if err == nil {
		<-ctx.Done()
	}
	if err := errors.Join(err, t.Close()); err != nil {
		fmt.Fprintf(stderr, "roletray tenant: %v\n", err)
		return 1
	}
	return 0
}
