// Package gitfiles finds the files of git repositories that git runs programs
// from or trusts, as git itself finds them: through .git files, commondir,
// linked worktrees, submodules, includes and the paths that a configuration
// names.
//
// # Limitations
//
// It looks at the repositories at and above a directory and in its
// subdirectories, and from there at those that they know: linked worktrees and
// submodules. The tree further below is not walked, so a repository that was
// cloned there is not found.
// Conditions of includeIf are taken as true. Of a command line that a
// configuration names, the words are looked at that name a file which is there;
// what a program finds by itself, such as modules, is not. After 2000 worktrees and
// submodules, or 16 MiB of configuration, no more is looked at: a command that makes
// many cannot keep srun from starting. What is lost is the mounts on those; that no
// git directory gets a hook or other configuration holds by the broker's judgement,
// but not paths outside of git directories that a configuration among them names.
package gitfiles
