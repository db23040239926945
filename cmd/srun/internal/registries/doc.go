// Package registries has no code of its own. Its tests run the real package
// managers of this machine through srun, on the machine's own network, against
// the registries that they are configured for and that answer without srun.
package registries
