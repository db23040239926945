package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"

	"srun/launcher"
)

// programAsker hands questions to a program of the user's (--ask
// command:PROGRAM), which runs outside the sandbox.
type programAsker struct {
	program string
	print   *printer
	keep    func(launcher.Question) error
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
	Reason   string `json:"reason"`
}

// Ask runs the program; whatever goes wrong is a denial and a line.
func (p *programAsker) Ask(ctx context.Context, q launcher.Question) launcher.Answer {
	answer, err := p.consult(ctx, q)
	if err != nil {
		p.print.line("--ask %s: %v; %s is denied", p.program, err, q.Target)
		return launcher.Deny
	}
	if answer == launcher.AllowAlways {
		if err := p.keep(q); err != nil {
			p.print.line("%v; %s is allowed for this run only", err, q.Target.Host)
		}
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
	out, err := cmd.Output()
	if err != nil {
		return launcher.Deny, err
	}
	var a programAnswer
	dec := json.NewDecoder(bytes.NewReader(out))
	if err := dec.Decode(&a); err != nil {
		return launcher.Deny, fmt.Errorf("its answer is not JSON: %w", err)
	}
	switch a.Decision {
	case "allow":
		return launcher.AllowOnce, nil
	case "allow-always":
		return launcher.AllowAlways, nil
	case "deny":
		return launcher.Deny, nil
	}
	return launcher.Deny, fmt.Errorf("its decision %q is not allow, allow-always or deny", a.Decision)
}

const programPrefix = "command:"

func (o *options) checkAsk() error {
	program, isProgram := strings.CutPrefix(o.ask, programPrefix)
	switch {
	case isProgram && program == "":
		return fmt.Errorf("--ask: %q: names no program", o.ask)
	case isProgram, o.ask == "auto", o.ask == "tty", o.ask == "never":
		return nil
	}
	return fmt.Errorf("--ask: %q: not one of auto, tty, never, command:PROGRAM", o.ask)
}
