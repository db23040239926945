package policy

import (
	"iter"
	"slices"
	"strings"
)

// ProtectedPath is a name that no command may write, though it lies in a
// writable directory: the host would later run or trust it.
type ProtectedPath struct {
	Path     string // absolute; with Anywhere, a relative path that is matched at any depth
	Anywhere bool
	Reason   string
}

// Protected returns the protected paths: srun's own, the home's, and those
// that count wherever they lie. It is a list of names alone: what git finds
// through .git files, commondir, worktrees and core.hooksPath is the backend's
// to look up.
func (p *Policy) Protected() []ProtectedPath { return slices.Collect(p.protected()) }

func (p *Policy) protected() iter.Seq[ProtectedPath] {
	return func(yield func(ProtectedPath) bool) {
		for _, dir := range p.OwnDirs {
			if !yield(ProtectedPath{Path: dir, Reason: "srun's own settings and trust record"}) {
				return
			}
		}
		for _, home := range append([]string{p.Home}, p.OtherHomes...) {
			for _, n := range protectedHome {
				if home != "" && !yield(ProtectedPath{Path: home + "/" + n.path, Reason: n.reason}) {
					return
				}
			}
		}
		for _, n := range protectedAnywhere {
			if n.path == ".git/config" && p.Filesystem.AllowGitConfig {
				continue
			}
			if !yield(ProtectedPath{Path: n.path, Anywhere: true, Reason: n.reason}) {
				return
			}
		}
	}
}

// Covers reports whether path, absolute and clean, is the protected path or
// lies below it.
func (p ProtectedPath) Covers(path string) bool {
	if p.Anywhere {
		return strings.Contains(path+"/", "/"+p.Path+"/")
	}
	return below(path, p.Path)
}

type protectedName struct{ path, reason string }

// protectedAnywhere lists what counts at any depth below a writable path.
var protectedAnywhere = []protectedName{
	{".srun", "srun's project settings"},
	{".git/hooks", "git runs them"},
	{".git/config", "names programs that git runs: core.fsmonitor, core.sshCommand, filters"},
	{".git/config.worktree", "the same, for one worktree"},
	{".git/commondir", "moves the repository's config and hooks elsewhere"},
	{".git/info/attributes", "attaches filters and merge drivers to files"},
	{".envrc", "direnv runs it"},
	{".vscode", "the editor's tasks, and the programs it starts"},
	{".idea", "the IDE's run configurations"},
	{".mcp.json", "starts tool servers for agents"},
	{".claude/settings.json", "the agent's permissions and hooks"},
	{".claude/settings.local.json", "the agent's permissions and hooks"},
	{".claude/commands", "the agent's commands"},
	{".claude/agents", "the agent's agents"},
	{".claude/hooks", "programs that the agent runs"},
	{".claude/skills", "instructions and programs of the agent"},
	{".cursor/mcp.json", "starts tool servers for the editor's agent"},
	{".cursor/hooks.json", "programs that the editor's agent runs"},
	{".codex/config.toml", "the agent's permissions and tool servers"},
	{".gemini/settings.json", "the agent's permissions and tool servers"},
}

const shell = "a shell reads it when it starts"

// protectedHome lists what counts in the home: shells, logins, and what starts
// by itself.
var protectedHome = []protectedName{
	{".ssh", "keys, known hosts, and who may log in"},
	{".gnupg", "keys, and the programs GnuPG calls"},
	{".profile", shell}, {".login", shell}, {".logout", shell},
	{".bashrc", shell}, {".bash_profile", shell}, {".bash_login", shell},
	{".bash_logout", shell}, {".bash_aliases", shell}, {".bash_completion", shell},
	{".inputrc", "key bindings run shell functions"},
	{".zshrc", shell}, {".zshenv", shell}, {".zprofile", shell}, {".zlogin", shell}, {".zlogout", shell},
	{".config/zsh", shell}, {".kshrc", shell}, {".mkshrc", shell},
	{".cshrc", shell}, {".tcshrc", shell}, {".xonshrc", shell},
	{".config/fish", shell}, {".config/nushell", shell}, {".config/powershell", shell},
	{".pam_environment", "sets variables at login"},
	{".config/environment.d", "sets variables at login"},
	{".xprofile", "runs at login"}, {".xsession", "runs at login"}, {".xsessionrc", "runs at login"},
	{".xinitrc", "runs at login"}, {".xserverrc", "runs at login"},
	{".config/autostart", "runs at login"},
	{".config/systemd", "services and timers of the user"},
	{".local/share/systemd", "services and timers of the user"},
	{".local/share/dbus-1", "services that D-Bus starts"},
	{".local/share/applications", "what the desktop starts for a file or link"},
	{".local/bin", "programs in the user's PATH"}, {"bin", "programs in the user's PATH"},
	{"Library/LaunchAgents", "runs at login"},
	{"Library/Application Scripts", "scripts that macOS runs"},
	{".gitconfig", "names programs that git runs"},
	{".config/git", "names programs that git runs"},
	{".ripgreprc", "names programs that ripgrep runs"},
	{".vimrc", "the editor runs it"}, {".vim", "the editor runs it"}, {".gvimrc", "the editor runs it"},
	{".config/nvim", "the editor runs it"}, {".exrc", "the editor runs it"},
	{".emacs", "the editor runs it"}, {".emacs.d", "the editor runs it"}, {".config/emacs", "the editor runs it"},
	{".nanorc", "names programs that the editor runs"},
	{".config/Code", "the editor's tasks and settings"},
	{".vscode-server", "the editor's remote half"},
	{".tmux.conf", "names programs that tmux runs"}, {".config/tmux", "names programs that tmux runs"},
	{".screenrc", "names programs that screen runs"},
	{".gdbinit", "the debugger runs it"}, {".config/gdb", "the debugger runs it"}, {".lldbinit", "the debugger runs it"},
	{".pythonrc", "python runs it"}, {".config/python", "python runs it"},
	{".irbrc", "ruby runs it"}, {".Rprofile", "R runs it"},
	{".npmrc", "names registries and scripts"}, {".yarnrc.yml", "names plugins that yarn runs"},
	{".cargo/config", "names compilers and linkers"}, {".cargo/config.toml", "names compilers and linkers"},
	{".config/pip", "names package indexes"},
	{".direnvrc", "direnv runs it"}, {".config/direnv", "direnv runs it, and the list of what is allowed"},
	{".local/share/direnv", "the list of what direnv may run"},
	{".config/mise", "names programs"}, {".asdfrc", "names programs"}, {".tool-versions", "names programs"},
	{".claude.json", "the agent's permissions and tool servers"},
	{".aws/config", "credential_process names a program"},
	{".kube/config", "exec plugins name a program"},
	{".docker/config.json", "credential helpers and plugins name programs"},
	{".docker/cli-plugins", "programs that docker runs"},
	{".netrc", "logins by host"},
	{".forward", "names programs that mail runs"}, {".procmailrc", "names programs that mail runs"},
	{".mailcap", "names programs"}, {".config/mimeapps.list", "what the desktop starts for a file"},
	{".rhosts", "who may log in"}, {".shosts", "who may log in"}, {".k5login", "who may log in"},
}
