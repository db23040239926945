//go:build linux

package linux

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"srun/linux/box"
	"srun/linux/filter"
	"srun/linux/plan"
	"srun/policy"
)

// Check is one protection as found on this host.
type Check struct {
	Protection string
	OK         bool
	Detail     string
	Fix        string
}

// Probe finds out what this host can enforce: it asks for each feature, and
// then runs true(1) with all of them, for a feature that is there may still be
// forbidden.
func Probe() []Check {
	checks := []Check{checkLandlock(), checkSeccomp()}
	run := Check{Protection: "namespaces", OK: true, Detail: "a command ran with namespaces, mounts, Landlock and seccomp"}
	if !checks[0].OK {
		run.Detail = "a command ran with namespaces, mounts and seccomp"
	}
	if err := tryRun(checks[0].OK); err != nil {
		run = Check{Protection: "namespaces", Detail: err.Error(), Fix: namespaceFix(err)}
		if e, ok := errors.AsType[*plan.Error](err); ok && e.Protection != "" {
			run.Protection = e.Protection
		}
	}
	return append(checks, run)
}

func checkLandlock() Check {
	abi := box.LandlockABI()
	if abi == 0 {
		return Check{"landlock", false, "the kernel has none", "boot Linux 5.13 or later with lsm=…,landlock"}
	}
	return Check{"landlock", true, fmt.Sprintf("ABI %d", abi), ""}
}

// checkSeccomp asks for the actions the filters return (seccomp(2),
// SECCOMP_GET_ACTION_AVAIL).
func checkSeccomp() Check {
	actions, err := os.ReadFile("/proc/sys/kernel/seccomp/actions_avail")
	if err != nil || !strings.Contains(string(actions), "errno") {
		return Check{"seccomp", false, "the kernel has no filters", "a kernel with CONFIG_SECCOMP_FILTER"}
	}
	return Check{"seccomp", true, "filters, " + strings.TrimSpace(string(actions)), ""}
}

// namespaceFix looks for the switches that distributions turn namespaces off
// with.
func namespaceFix(err error) string {
	if errors.Is(err, unix.ENOSYS) {
		return "boot " + box.OldestKernel + " or later"
	}
	for _, s := range []struct{ path, bad, fix string }{
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile that lets srun make user namespaces"},
		{"/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"},
		{"/proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=10000"},
	} {
		if b, err := os.ReadFile(s.path); err == nil && strings.TrimSpace(string(b)) == s.bad {
			return s.fix
		}
	}
	return "a container engine's seccomp profile or a kernel configuration forbids it: allow unshare, mount and user namespaces"
}

// tryRun runs true(1). Without Landlock, which was found out before, it looks for
// what else is missing.
func tryRun(landlock bool) error {
	var p policy.Policy
	if !landlock {
		p.Weaker = []policy.Weaker{{Name: "landlock"}}
	}
	host, err := ThisHost(nil)
	if err != nil {
		return err
	}
	made, err := plan.New(&p, "/", host)
	if err != nil {
		return err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	process, err := Start(Config{Config: box.Config{
		Plan: made, Args: []string{"true"}, Env: []string{"PATH=/usr/bin:/bin"},
		Stdio: [3]*os.File{null, null, null},
	}})
	if err != nil {
		return err
	}
	for range process.Events {
	}
	if status, err := process.Wait(); err != nil || status != 0 {
		return errors.Join(err, fmt.Errorf("true ended with status %d", status))
	}
	return nil
}

// DeniedCallCount is how many system calls the filter refuses, some of them
// for certain arguments only.
func DeniedCallCount() int {
	calls := map[string]bool{}
	for _, d := range filter.Table(true) {
		calls[d.Call] = true
	}
	return len(calls)
}
