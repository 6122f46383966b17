package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"roletray/app/local"
	"roletray/pim"
)

// startLimit is how long a new agent may take until it answers.
const startLimit = 20 * time.Second

func (a *app) rootCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "roletray",
		Short: "Activate Privileged Identity Management roles from the tray",
		Long: "Roletray activates Microsoft Entra Privileged Identity Management roles.\n\n" +
			"Without a command it starts in the tray, or opens the window of the one that is running.",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			asked := pim.CleanText(args[0], 60)
			if near := c.SuggestionsFor(args[0]); len(near) > 0 {
				return usagef("There is no command %q; did you mean %s? See roletray --help.", asked, strings.Join(near, " or "))
			}
			return usagef("There is no command %q; see roletray --help.", asked)
		},
		SuggestionsMinimumDistance: 2,
		RunE:                       a.prepared(func(ctx context.Context, _ []string) error { return a.runAgent(ctx, false) }),
	}
}

func (a *app) agentCommand() *cobra.Command {
	var background bool
	c := &cobra.Command{
		Use: "agent", Short: "Run the agent in this process", Hidden: true, Args: noArgs,
		RunE: a.prepared(func(ctx context.Context, _ []string) error { return a.runAgent(ctx, background) }),
	}
	c.Flags().BoolVar(&background, "background", false, "say nothing, and leave a running agent alone")
	return c
}

// runAgent makes this process the agent. Where another one is it already, that one
// is asked for its window, which is what a person wants who starts the program twice.
func (a *app) runAgent(ctx context.Context, background bool) error {
	if err := local.PrepareProfile(a.options.Profile); err != nil {
		return err
	}
	joining, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	client, in, err := local.Join(joining, a.options.Profile, "cli")
	if err != nil {
		return err
	}
	if client != nil {
		defer client.Close()
		if background {
			return nil
		}
		if err := a.suits(joining, client); err != nil {
			return err
		}
		return client.Show(ctx, local.ShowRequest{})
	}
	if !background && runtime.GOOS == "windows" && !a.windowed() {
		// A console program would keep its console for as long as it runs.
		if err := in.Close(); err != nil {
			return err
		}
		c, err := a.startAndDial(ctx)
		if err != nil {
			return err
		}
		c.Close()
		return nil
	}
	if !background {
		fmt.Fprintln(a.Stderr, "Roletray is running; Ctrl+C ends it.")
	}
	return a.RunAgent(ctx, in, a.options)
}

// windowed says whether this program is the one without a console.
func (a *app) windowed() bool { return a.RunWindow != nil }

// connect returns a client of the agent, which it starts where none is running.
func (a *app) connect(ctx context.Context) (*local.Client, error) {
	if err := local.PrepareProfile(a.options.Profile); err != nil {
		return nil, err
	}
	c, err := a.dial(ctx)
	if !errors.Is(err, local.ErrNoAgent) {
		return c, err
	}
	fmt.Fprintln(a.Stderr, "Roletray was not running; starting it in the background.")
	return a.startAndDial(ctx)
}

func (a *app) startAndDial(ctx context.Context) (*local.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	start := a.StartAgent
	if start == nil {
		start = startDetached
	}
	if err := start(ctx, a.options.Profile, a.flags.args(a.options)); err != nil {
		return nil, err
	}
	return a.dial(ctx)
}

// dial returns a client of the agent that is running, where that is one that the
// flags may mean.
func (a *app) dial(ctx context.Context) (*local.Client, error) {
	c, err := local.Dial(ctx, a.options.Profile, "cli")
	if err != nil {
		return nil, err
	}
	if err := a.suits(ctx, c); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// suits refuses an agent of real accounts to --demo, since what was meant for the
// demo would happen for real, and the demo to --cloud. Without either flag the
// profile alone says who is meant.
func (a *app) suits(ctx context.Context, c *local.Client) error {
	if !a.flags.demo && a.flags.cloud == "" {
		return nil
	}
	s, err := c.State(ctx)
	switch {
	case err != nil:
		return err
	case a.flags.demo && !s.Demo:
		return usagef("Roletray is running with real accounts in this profile, so nothing was sent; give --demo another --profile, or leave --demo out to use those accounts.")
	case a.flags.cloud != "" && s.Demo:
		return usagef("The demo is running in this profile and has no other cloud, so nothing was sent; leave --cloud out, or give another --profile.")
	}
	return nil
}

// startDetached starts this program as an agent of its own, and returns when it
// answers. What it says before that is the error when it ends at once.
func startDetached(ctx context.Context, profile string, args []string) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	said, err := os.OpenFile(filepath.Join(profile, "start.txt"), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("start the agent: %w", err)
	}
	defer said.Close()                //nolint:errcheck // The agent writes to it, not this process.
	cmd := exec.Command(exe, args...) //nolint:gosec,noctx // It outlives this process, and is this program.
	cmd.Stderr = said
	cmd.Dir = profile
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the agent: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if err == nil {
				return nil // Another one was faster.
			}
			text, _ := os.ReadFile(said.Name())
			if line := strings.TrimSpace(string(text)); line != "" {
				return errors.New(pim.CleanText(line, 500))
			}
			return fmt.Errorf("start the agent: %w", err)
		case <-ctx.Done():
			return errors.New("roletray was started but does not answer; see its log in the profile folder")
		case <-tick.C:
			c, err := local.Dial(ctx, profile, "cli")
			if err == nil {
				c.Close()
				return nil
			}
		}
	}
}

func (a *app) windowCommand() *cobra.Command {
	var here bool
	c := &cobra.Command{
		Use: "window", Short: "Open the window", Args: noArgs,
		RunE: a.run(func(ctx context.Context, _ []string) error {
			if here {
				if a.RunWindow == nil {
					return local.NewError(local.CodeNoWindow, "This build of Roletray has no window; install roletray-window beside it.")
				}
				if code := a.RunWindow(ctx, a.options.Profile); code != 0 {
					return outcome(code)
				}
				return nil
			}
			client, err := a.connect(ctx)
			if err != nil {
				return err
			}
			defer client.Close()
			if err := client.Show(ctx, local.ShowRequest{}); err != nil {
				return err
			}
			return a.done("The window opens.")
		}),
	}
	c.Flags().BoolVar(&here, "here", false, "draw it in this process")
	_ = c.Flags().MarkHidden("here") // The flag exists: it was just made.
	return c
}

func (a *app) quitCommand() *cobra.Command {
	return &cobra.Command{
		Use: "quit", Short: "End Roletray", Args: noArgs,
		RunE: a.run(func(ctx context.Context, _ []string) error {
			client, err := a.dial(ctx)
			if errors.Is(err, local.ErrNoAgent) {
				return a.done("Roletray is not running.")
			}
			if err != nil {
				return err
			}
			defer client.Close()
			if err := client.Quit(ctx); err != nil {
				return err
			}
			// Its connection ends with it.
			for _, err := range client.Watch(ctx) {
				if err != nil {
					break
				}
			}
			return a.done("Roletray has ended.")
		}),
	}
}
