// Package trace tells why the sandbox refused a command something. A [Judge] goes
// by the plan: it finds where the paths of a failed call lead, leaves out what fails
// without a sandbox as well, and names the rule. A [Tracer] watches a command's file
// operations (ptrace(2)) and has them judged.
//
// # Limitations
//
// It looks from outside and after the act, so that another thread may have changed
// what a call named. It changes nothing and nothing depends on it.
package trace
