// Package testhost gives srun's end-to-end tests a machine and a network of
// their own, so that real programs can be run against real servers by name
// without touching the host they run on.
//
// A package's TestMain hands its tests over to [Main]. Main builds srun, then
// runs the test binary again in stages, each a process:
//
//	outside   go test's own process: builds the binaries, cleans up at the end
//	machine   root (through sudo -n if need be): makes the namespaces
//	init      process 1 of the new PID namespace: reaps, nothing else
//	hosts     mounts, addresses and servers; starts the two below in turn
//	tests     the tests, as root
//	tests     the tests, as an ordinary user
//
// Inside, /tmp, /run and /dev/shm are empty, and the files of /etc that say who
// is who (hosts, resolv.conf, nsswitch.conf, passwd, group, shadow) are private
// copies, so the user exists nowhere else. There are two network namespaces:
// the tests' own, which is the "host" that srun runs on, and one behind it with
// the servers of [Names].
//
// After each run of the tests, a process, mount, link, temporary file or cgroup
// that they left behind fails the run.
//
// # Environment
//
// SRUN_TEST_AS=root or user runs the tests only once. SRUN_TEST_KEEP=1 keeps
// the work directories and says where they are. SRUN_TEST_BINARY=FILE tests that
// srun in place of the one that `make build` would make.
//
// # Limitations
//
// The machine stage needs real root: an unprivileged user namespace cannot give
// a second user. The registries that the real machine may reach are out of
// reach here.
package testhost
