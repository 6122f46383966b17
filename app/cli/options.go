package cli

import (
	"context"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"roletray/app/local"
	"roletray/pim"
)

// Params are what the command line is made of. Stdout and Stderr, RunAgent and
// Tenant are required.
type Params struct {
	// Version is the program's version.
	Version        string
	Stdout, Stderr io.Writer
	// RunAgent runs the agent in this process until ctx ends or it is asked to
	// quit. It closes the instance.
	RunAgent func(ctx context.Context, in *local.Instance, o AgentOptions) error
	// RunWindow shows the window of the profile's agent in this process, or is nil
	// in a build without it.
	RunWindow func(ctx context.Context, profile string) int
	// Tenant runs the simulated tenant.
	Tenant func(ctx context.Context, args []string, stdout, stderr io.Writer) int
	// StartAgent starts the agent in the background, with these arguments, and
	// returns when it has been started; nil starts this program again.
	StartAgent func(ctx context.Context, profile string, args []string) error
	// Ask asks the person at the terminal a question that is answered by yes or no. It is nil where
	// there is none, and its errors are those of the terminal and of ctx.
	Ask func(ctx context.Context, question string) (yes bool, err error)
	// Location is where clock times are shown; nil means the computer's.
	Location *time.Location
}

// AgentOptions are what the command line says about the agent.
type AgentOptions struct {
	// Profile is the folder, which exists and is private.
	Profile string
	// DefaultProfile says that the person chose no other.
	DefaultProfile bool
	// Demo runs a simulated tenant inside the agent, its clock Speed times as fast.
	Demo  bool
	Speed float64
	// Cloud is where sign-ins go that name no other.
	Cloud pim.Cloud
}

// flags are those that every command has.
type flags struct {
	profile string
	demo    bool
	speed   float64
	cloud   string
	account string
	json    bool
}

// options makes sense of the flags.
func (f *flags) options() (AgentOptions, error) {
	o := AgentOptions{Demo: f.demo, Speed: f.speed, Profile: f.profile}
	switch {
	case f.demo && f.cloud != "":
		return o, usagef("The demo has a simulated tenant of its own; use --demo without --cloud.")
	case !f.demo && f.speed != 1:
		return o, usagef("Only the demo's clock can run faster; use --speed together with --demo.")
	case math.IsNaN(f.speed) || f.speed <= 0 || f.speed > 10_000:
		return o, usagef("--speed must be above 0 and at most 10000.")
	}
	var err error
	if o.Cloud, err = cloud(f.cloud); err != nil {
		return o, err
	}
	if o.Profile == "" {
		o.DefaultProfile = true
		if o.Profile, err = local.DefaultProfile(f.demo); err != nil {
			return o, err
		}
	}
	if o.Profile, err = filepath.Abs(o.Profile); err != nil {
		return o, err
	}
	return o, nil
}

// args are the options as the command line of a new agent.
func (f *flags) args(o AgentOptions) []string {
	args := []string{"agent", "--background"}
	if !o.DefaultProfile {
		args = append(args, "--profile", o.Profile)
	}
	if f.demo {
		args = append(args, "--demo", "--speed", strconv.FormatFloat(f.speed, 'g', -1, 64))
	}
	if f.cloud != "" {
		c := f.cloud
		if _, named := pim.CloudNamed(c); !named {
			if abs, err := filepath.Abs(c); err == nil {
				c = abs
			}
		}
		args = append(args, "--cloud", c)
	}
	return args
}

// cloud is one of Microsoft's by name, or a file.
func cloud(value string) (pim.Cloud, error) {
	if value == "" {
		value = "public"
	}
	if c, ok := pim.CloudNamed(value); ok {
		return c, nil
	}
	const biggest = 1 << 20
	file, err := os.Open(value)
	if err != nil {
		return pim.Cloud{}, usagef("--cloud %q is neither public, usgov, dod or china nor a file that can be read.", pim.CleanText(value, 200))
	}
	defer file.Close() //nolint:errcheck // Only read from.
	data, err := io.ReadAll(io.LimitReader(file, biggest))
	if err != nil {
		return pim.Cloud{}, usagef("The cloud file %q cannot be read; check that it is a file.", pim.CleanText(value, 200))
	}
	c, err := pim.ParseCloud(data)
	if err != nil {
		return pim.Cloud{}, usagef("%s; correct %s and try again.", pim.CleanText(upperFirst(err.Error()), 300), pim.CleanText(value, 200))
	}
	if c.CAFile != "" && !filepath.IsAbs(c.CAFile) {
		abs, err := filepath.Abs(filepath.Join(filepath.Dir(value), c.CAFile))
		if err != nil {
			return pim.Cloud{}, err
		}
		c.CAFile = abs
	}
	if c.CAFile != "" {
		if _, err := os.Stat(c.CAFile); err != nil {
			return pim.Cloud{}, usagef("The cloud file names %q as caFile, which cannot be read; correct it and try again.", pim.CleanText(c.CAFile, 200))
		}
	}
	return c, nil
}
