// Package policy holds what a sandboxed command may do: the settings files and
// flags it is read from, how they merge, and how a host name, a path or an
// environment variable is judged by the result. It is the only language
// between srun's rooms.
//
// [Load] reads every source into a [Policy]; [Policy.Unsupported] says what of
// it a backend cannot enforce, which must stop the run. [Domains] decides
// hosts, [Policy.ReadVerdict] and [Policy.WriteVerdict] explain paths,
// [Environment.Filter] makes the command's environment. [Trust] and
// [AllowAlways] keep the user's answers.
//
// The package is pure: it reads settings files and the trust record, writes
// the two files that answers go to, reads no environment, opens no socket and
// restricts no process.
//
// # Rules that are easy to get wrong
//
// Deny beats allow whatever its source, for hosts and for writes. For reads
// the narrowest path wins and a tie denies; a path of the default list is
// opened by an allowRead of that very path.
//
// A project's files come from whoever wrote the repository. Until their
// content is trusted they are tightened before they are merged: what could
// allow more is gone, and limits only go down.
//
// "*" and "*.name" never allow localhost or an IP literal, though a denying
// "*" covers both. A denied address is denied to every name that resolves to
// it as well, which is for the caller to ask: see [Domains.DeniedAddr].
//
// # Limitations
//
// Paths are judged as text: the caller resolves symbolic links. What git finds
// through .git files, commondir and core.hooksPath is the backend's to protect.
//
// Public suffixes are those of the list compiled into golang.org/x/net; a
// suffix registered since is not known. Importing that list links net/http.
//
// A host name may have an underscore only at the front of a label.
package policy
