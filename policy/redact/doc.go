// Package redact shows settings files without the secrets in them. What it does not
// understand it leaves out: a missing setting is an inconvenience, a shown token is not.
package redact
