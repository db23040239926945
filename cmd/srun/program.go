package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"srun/launcher"
	"srun/policy"
)

// programAsker hands questions to a program of the user's (--ask
// command:PROGRAM), which runs outside the sandbox.
type programAsker struct {
	program string
	print   *printer
	keep    func(launcher.Question)
}

type programQuestion struct {
	Type    string `json:"type"` // "network"
	Host    string `json:"host"`
	Port    uint16 `json:"port"`
	PID     int    `json:"pid,omitempty"`
	Command string `json:"command,omitempty"`
}

type programAnswer struct {
	Decision string `json:"decision"`
	Scope    string `json:"scope"`
	For      string `json:"for"`
	Reason   string `json:"reason"`
}

// longestReason bounds what a program adds to the line of a denial, in bytes.
const longestReason = 300

// Ask runs the program; whatever goes wrong is a denial, whose line says what.
func (p *programAsker) Ask(ctx context.Context, q launcher.Question) launcher.Answer {
	answer, err := p.consult(ctx, q)
	if err != nil {
		return launcher.Answer{Reason: "--ask " + p.program + " failed: " + err.Error()}
	}
	if answer.Keep {
		p.keep(q)
	}
	return answer
}

func (p *programAsker) consult(ctx context.Context, q launcher.Question) (launcher.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	body, err := json.Marshal(programQuestion{
		Type: "network", Host: q.Target.Host.String(), Port: q.Target.Port, PID: q.Process.PID, Command: q.Process.Command,
	})
	if err != nil {
		return launcher.Deny, err
	}
	cmd := exec.CommandContext(ctx, p.program)
	cmd.Stdin = bytes.NewReader(append(body, '\n'))
	cmd.WaitDelay = time.Second // for what it started and left with its output
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		said, _, _ := strings.Cut(strings.TrimSpace(string(exit.Stderr)), "\n")
		return launcher.Deny, fmt.Errorf("%w%s", err, prefixed(": ", said))
	}
	if err != nil {
		return launcher.Deny, err
	}
	var a programAnswer
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&a); err != nil {
		return launcher.Deny, fmt.Errorf("its answer is not JSON: %w", err)
	}
	answer, err := a.read()
	if err == nil && answer.Allow && a.Scope == "user" {
		p.print.line("--ask %s: the scope user is not kept; %s is allowed for this run only", p.program, q.Target.Host)
	}
	return answer, err
}

// read turns the program's words into an answer.
func (a programAnswer) read() (answer launcher.Answer, err error) {
	switch a.Decision {
	case "allow":
		answer = launcher.AllowOnce
	case "allow-always":
		answer = launcher.AllowAlways
	case "deny":
		answer.Reason = "answered no" + prefixed(": ", a.Reason)
	default:
		return answer, fmt.Errorf("its decision %q is not allow or deny", a.Decision)
	}
	switch a.Scope {
	case "", "run", "user":
	case "once":
		answer.Once = true
	case "project":
		answer.Keep = answer.Allow
	default:
		return launcher.Deny, fmt.Errorf("its scope %q is not once, run, project or user", a.Scope)
	}
	if a.For == "" {
		return answer, nil
	}
	if answer.For, err = time.ParseDuration(a.For); err != nil || answer.For <= 0 {
		return launcher.Deny, fmt.Errorf("its \"for\" %q is not a time such as 15m", a.For)
	}
	if answer.Keep || answer.Once {
		return launcher.Deny, errors.New(`"for" goes with the scope run alone`)
	}
	return answer, nil
}

// prefixed is text behind a prefix, bounded, and nothing where there is no text.
func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	if len(text) > longestReason {
		text = text[:longestReason] + "..."
	}
	return prefix + text
}

const programPrefix = "command:"

func (o *options) checkAsk() error {
	program, isProgram := strings.CutPrefix(o.ask, programPrefix)
	switch {
	case isProgram && program == "":
		return fmt.Errorf("--ask: %q: names no program", o.ask)
	case isProgram:
		return o.findAsked(program)
	case o.ask == "auto", o.ask == "tty", o.ask == "never":
		return nil
	}
	return fmt.Errorf("--ask: %q: not one of auto, tty, never, command:PROGRAM", o.ask)
}

// findAsked looks for the program now: one that is not there would answer no to
// everything.
func (o *options) findAsked(program string) error {
	path, err := exec.LookPath(program)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if failed, ok := errors.AsType[*exec.Error](err); ok {
		err = failed.Err
	}
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		err = failed.Err
	}
	if err != nil {
		return fmt.Errorf("--ask: %s: %w", program, err)
	}
	o.askProgram = path
	return nil
}

// keepAsked keeps the command from writing the program that decides for it.
func (o *options) keepAsked(pol *policy.Policy) error {
	if o.askProgram == "" {
		return nil
	}
	path, err := filepath.EvalSymlinks(o.askProgram)
	if err != nil {
		return fmt.Errorf("--ask: %w", err)
	}
	for _, one := range []string{o.askProgram, path} {
		pol.Filesystem.DenyWrite = append(pol.Filesystem.DenyWrite, policy.PathRule{
			Path: one, Literal: true, Source: policy.Source{Tier: policy.TierFlag, Flag: "--ask"},
		})
	}
	return nil
}
