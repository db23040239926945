//go:build linux

package launcher_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"srun/launcher"
	"srun/policy"
)

func Example() {
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	p, _, err := policy.Load(policy.Options{Dir: dir})
	if err != nil {
		log.Fatal(err)
	}
	cmd := launcher.Command(p, "sh", "-c", "echo hello; echo kept >file; echo refused >/file || exit 3")
	cmd.Stdout = os.Stdout
	err = cmd.Run()

	if exit, ok := errors.AsType[*launcher.ExitError](err); ok {
		fmt.Println("status", exit.Code())
	}
	kept, err := os.ReadFile(dir + "/file")
	fmt.Print(string(kept), err)
	// Output:
	// hello
	// status 3
	// kept
	// <nil>
}

// A program of yours may answer for hosts that no rule covers.
func ExampleCmd_ask() {
	dir, err := os.Getwd()
	if err != nil {
		log.Fatal(err)
	}
	p, _, err := policy.Load(policy.Options{Dir: dir, Flags: policy.Flags{"allow-domain": {"github.com"}}})
	if err != nil {
		log.Fatal(err)
	}
	cmd := launcher.Command(p, "make", "test")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Denied = func(d launcher.Denial) { log.Print(d.Line()) }
	cmd.Ask = func(_ context.Context, q launcher.Question) launcher.Answer {
		if q.Process.Command == "git-remote-http" {
			return launcher.AllowOnce
		}
		return launcher.Deny
	}
	if err := cmd.Run(); err != nil {
		log.Print(err)
	}
}
