//go:build !nowindow

package main

import (
	"context"
	"fmt"
	"os"

	fynewindow "roletray/app/window"
	"roletray/assets/translations"
)

const hasWindow = true

// window shows the window of a profile's agent in this process.
func window(build string) func(ctx context.Context, profile string) int {
	return func(ctx context.Context, profile string) int {
		words, err := translations.For(languages()...)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return fynewindow.Run(ctx, fynewindow.Params{Profile: profile, Build: build, Words: words, Stdout: os.Stdout, Stderr: os.Stderr})
	}
}
