// Command launcher runs a command in srun's sandbox from a Go program:
//
//	go run ./examples/launcher git clone https://github.com/o/r.git
//
// It allows one host, tells of every denial, and gives the whole run a minute.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"srun/launcher"
	"srun/policy"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: launcher command [argument ...]")
		os.Exit(2)
	}
	status, err := run(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "launcher:", err)
	}
	os.Exit(status)
}

// run returns the command's status, or an error when it did not run.
func run(name string, args []string) (int, error) {
	p, err := load()
	if err != nil {
		return 1, err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()

	cmd := launcher.CommandContext(ctx, p, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Denied = func(d launcher.Denial) { fmt.Fprintln(os.Stderr, "launcher:", d.Line()) }
	err = cmd.Run()
	if exit, ok := errors.AsType[*launcher.ExitError](err); ok {
		return exit.Code(), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}

// load reads the settings files as srun does, with one flag on top.
func load() (*policy.Policy, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, err
	}
	opts := policy.Options{
		Dir: dir, Home: home, ConfigHome: os.Getenv("XDG_CONFIG_HOME"), StateHome: os.Getenv("XDG_STATE_HOME"),
		ManagedDir: "/etc/srun",
		Flags:      policy.Flags{"allow-domain": {"github.com"}},
	}
	p, notices, err := policy.Load(opts)
	if err != nil {
		return nil, err
	}
	for _, n := range notices {
		fmt.Fprintln(os.Stderr, "launcher:", n)
	}
	// What this build cannot enforce must stop the run.
	return p, errors.Join(p.Unsupported(launcher.Capabilities(), opts.Flags)...)
}
