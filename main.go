// Roletray activates Microsoft Entra Privileged Identity Management roles from
// the tray. This file reads the command line and picks a face; what each does is in app.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/pkg/browser"

	"roletray/app/agent"
	"roletray/app/cli"
	"roletray/app/local"
	"roletray/assets"
	"roletray/assets/translations"
	simulated "roletray/pim/tenant"
)

// version is set by the linker for a release.
var version string

func main() { os.Exit(run()) }

func run() int {
	// The programs that open a browser talk, and the output is the command's.
	browser.Stdout, browser.Stderr = io.Discard, io.Discard
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	build := buildVersion()
	return cli.Run(ctx, cli.Params{
		Version: build,
		Stdout:  os.Stdout, Stderr: os.Stderr, Ask: cli.AskOn(os.Stdin, os.Stderr),
		RunAgent: func(ctx context.Context, in *local.Instance, o cli.AgentOptions) error {
			return runAgent(ctx, in, o, build)
		},
		RunWindow: window(build),
		Tenant:    simulated.Command,
	}, os.Args[1:])
}

// runAgent builds the agent and runs it on this goroutine, the main one.
func runAgent(ctx context.Context, in *local.Instance, o cli.AgentOptions, build string) error {
	// Closed by the agent too, but not where there comes to be none.
	defer in.Close() //nolint:errcheck // Nobody is left to be told.
	log, closeLog, err := agent.OpenLog(o.Profile)
	if err != nil {
		return err
	}
	defer closeLog() //nolint:errcheck // Nobody is left to be told.
	words, err := translations.For(languages()...)
	if err != nil {
		return err
	}
	icon := filepath.Join(o.Profile, "icon.png")
	if err := os.WriteFile(icon, assets.Icon(), 0o600); err != nil {
		return fmt.Errorf("write the icon: %w", err)
	}
	a, err := agent.New(ctx, agent.Params{
		Instance: in, Profile: o.Profile, Default: o.DefaultProfile, Build: build, Cloud: o.Cloud, Demo: o.Demo, Speed: o.Speed, DemoAsks: true,
		Desktop: agent.RealDesktop(log, icon), Words: words, Log: log,
		WindowCommand: func() ([]string, error) { return windowCommand(o.Profile) },
		Tell:          func(line string) { fmt.Fprintln(os.Stderr, line) },
	})
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

// windowCommand is this program where it has the window, else the one beside it.
func windowCommand(profile string) ([]string, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	if !hasWindow {
		name := "roletray-window"
		if runtime.GOOS == "windows" {
			name += ".exe"
		}
		exe = filepath.Join(filepath.Dir(exe), name)
		if _, err := os.Stat(exe); err != nil {
			return nil, local.NewError(local.CodeNoWindow, "The window's program is missing; put "+name+" beside roletray, or use the command line.")
		}
	}
	return []string{exe, "window", "--here", "--profile", profile}, nil
}

func buildVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "0-" + s.Value[:12]
		}
	}
	return info.Main.Version
}
