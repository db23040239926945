// Package launcher runs a command in srun's sandbox. It is shaped like os/exec:
//
//	p, _, err := policy.Load(policy.Options{Dir: dir})
//	cmd := launcher.Command(p, "git", "clone", "https://example.com/x.git")
//	cmd.Stdout = os.Stdout
//	cmd.Denied = func(d launcher.Denial) { log.Print(d.Line()) }
//	err = cmd.Run()
//
// The command writes only where the policy says, reads no credentials, and
// reaches the network only through a filtering proxy that runs in the calling
// process. What cannot be enforced makes Start fail: the command then never
// ran. When the calling process ends in any way, so does the sandbox with
// everything in it.
//
// On Linux the calling program starts itself again as the sandbox's first
// process: a constructor takes that start over before main, so a program that
// links this package needs nothing in its main, but must be started from a
// file that /proc/self/exe still names.
//
// # Limitations
//
// The proxy judges names, not content: see SECURITY.md for what is not a
// boundary.
package launcher
