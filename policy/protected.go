package policy

// protectedName is a row of the tables: which program runs or reads the path
// without being asked, and what that can do.
type protectedName struct{ path, runs, reason string }

// protectedAnywhere lists what counts at any depth below a writable path. A
// name has one component, in which one "*" stands for anything, or two, which
// count in the directory that holds the first.
//
// Only what a program obeys is here. Instructions in plain text that an agent
// reads (CLAUDE.md, AGENTS.md, .cursor/rules, .kiro/steering) stay writable,
// and so do tasks that somebody has to ask for by name.
var protectedAnywhere = []protectedName{
	{".srun", "srun", "srun's project settings"},
	{".git/hooks", "git", "programs that git runs"},
	{".git/config", "git", "names programs that git runs: core.fsmonitor, core.sshCommand, filters"},
	{".git/config.worktree", "git", "the same, for one worktree"},
	{".git/commondir", "git", "moves the repository's config and hooks elsewhere"},
	{".git/info/attributes", "git", "attaches filters and merge drivers to files"},
	{".envrc", "direnv", "a script, run on entering the directory"},
	{".vscode", "VS Code and editors made of it", "tasks on opening the folder, paths of programs, tool servers"},
	{".idea", "JetBrains IDEs", "run configurations, file watchers, startup tasks"},
	{".mcp.json", "Claude Code and other agents", toolServers},
	{".claude/settings.json", "Claude Code", "permissions, hooks, and programs for keys and the status line"},
	{".claude/settings.local.json", "Claude Code", "permissions, hooks, and programs for keys and the status line"},
	{".claude/commands", "Claude Code", "commands, with shell lines and permissions in them"},
	{".claude/agents", "Claude Code", "agents, with their tool servers, hooks and permissions"},
	{".claude/hooks", "Claude Code", hookPrograms},
	{".claude/skills", "Claude Code", skills},
	{".cursor/mcp.json", "Cursor", toolServers},
	{".cursor/hooks.json", "Cursor", "names programs that it runs"},
	{".codex/config.toml", "Codex", "permissions, tool servers and a program for notices"},
	{".gemini/settings.json", "Gemini CLI", "permissions, hooks, tool servers and programs that find tools"},
}

// Reasons that several names share.
const (
	shell        = "a script, run when the shell starts or ends"
	cargoFile    = "names compilers, linkers, wrappers and runners"
	toolServers  = "starts tool servers"
	hookPrograms = "programs that it runs"
	skills       = "skills: scripts, and what they may run"
)

// protectedHome lists what counts in the home: shells, logins, and what starts
// by itself.
var protectedHome = []protectedName{
	{".ssh", "ssh, sshd", "keys, known hosts, and who may log in"},
	{".gnupg", "GnuPG", "keys, and the programs GnuPG calls"},
	{".profile", "sh, bash, the desktop", shell},
	{".login", "csh, tcsh", shell},
	{".logout", "csh, tcsh", shell},
	{".bashrc", "bash", shell},
	{".bash_profile", "bash", shell},
	{".bash_login", "bash", shell},
	{".bash_logout", "bash", shell},
	{".bash_aliases", "bash", shell},
	{".bash_completion", "bash", shell},
	{".inputrc", "bash and all that use readline", "key bindings run shell functions"},
	{".zshrc", "zsh", shell},
	{".zshenv", "zsh", shell},
	{".zprofile", "zsh", shell},
	{".zlogin", "zsh", shell},
	{".zlogout", "zsh", shell},
	{".config/zsh", "zsh", shell},
	{".kshrc", "ksh", shell},
	{".mkshrc", "mksh", shell},
	{".cshrc", "csh, tcsh", shell},
	{".tcshrc", "tcsh", shell},
	{".xonshrc", "xonsh", shell},
	{".config/fish", "fish", shell},
	{".config/nushell", "nushell", shell},
	{".config/powershell", "PowerShell", shell},
	{".pam_environment", "PAM", "sets variables at login"},
	{".config/environment.d", "systemd", "sets variables at login"},
	{".xprofile", "the display manager", "runs at login"},
	{".xsession", "the display manager", "runs at login"},
	{".xsessionrc", "the display manager", "runs at login"},
	{".xinitrc", "startx", "runs at login"},
	{".xserverrc", "startx", "runs at login"},
	{".config/autostart", "the desktop", "runs at login"},
	{".config/systemd", "systemd", "services and timers of the user"},
	{".local/share/systemd", "systemd", "services and timers of the user"},
	{".local/share/dbus-1", "D-Bus", "services that D-Bus starts"},
	{".local/share/applications", "the desktop", "what the desktop starts for a file or link"},
	{".local/bin", "every shell", "programs in the user's PATH"},
	{"bin", "every shell", "programs in the user's PATH"},
	{"Library/LaunchAgents", "launchd", "runs at login"},
	{"Library/Application Scripts", "macOS", "scripts that macOS runs"},
	{".gitconfig", "git", "names programs that git runs"},
	{".config/git", "git", "names programs that git runs"},
	{".ripgreprc", "ripgrep", "names programs that ripgrep runs"},
	{".vimrc", "vim", "the editor runs it"},
	{".vim", "vim", "the editor runs it"},
	{".gvimrc", "vim", "the editor runs it"},
	{".config/nvim", "Neovim", "the editor runs it"},
	{".exrc", "vi, vim", "the editor runs it"},
	{".emacs", "Emacs", "the editor runs it"},
	{".emacs.d", "Emacs", "the editor runs it"},
	{".config/emacs", "Emacs", "the editor runs it"},
	{".nanorc", "nano", "names programs that the editor runs"},
	{".config/Code", "VS Code", "the editor's tasks and settings"},
	{".vscode-server", "VS Code", "the editor's remote half"},
	{".tmux.conf", "tmux", "names programs that tmux runs"},
	{".config/tmux", "tmux", "names programs that tmux runs"},
	{".screenrc", "screen", "names programs that screen runs"},
	{".gdbinit", "gdb", "the debugger runs it"},
	{".config/gdb", "gdb", "the debugger runs it"},
	{".lldbinit", "lldb", "the debugger runs it"},
	{".pythonrc", "python", "python runs it"},
	{".config/python", "python", "python runs it"},
	{".irbrc", "irb", "ruby runs it"},
	{".Rprofile", "R", "R runs it"},
	{".npmrc", "npm, pnpm", "names registries and scripts"},
	{".yarnrc.yml", "yarn", "names the yarn to run (yarnPath), and plugins"},
	{".cargo/config", "cargo", cargoFile}, {".cargo/config.toml", "cargo", cargoFile},
	{".config/pip", "pip", "names package indexes"},
	{".direnvrc", "direnv", "direnv runs it"},
	{".config/direnv", "direnv", "direnv runs it, and the list of what is allowed"},
	{".local/share/direnv", "direnv", "the list of what direnv may run"},
	{".config/mise", "mise", "names programs"}, {".asdfrc", "asdf", "names programs"},
	{".tool-versions", "asdf, mise", "puts directories into PATH (path:)"},
	{".claude.json", "Claude Code", "the agent's permissions and tool servers"},
	{".aws/config", "AWS tools", "credential_process names a program"},
	{".kube/config", "kubectl", "exec plugins name a program"},
	{".docker/config.json", "docker", "credential helpers and plugins name programs"},
	{".docker/cli-plugins", "docker", "programs that docker runs"},
	{".netrc", "curl, git and others", "logins by host"},
	{".forward", "the mail server", "names programs that mail runs"},
	{".procmailrc", "procmail", "names programs that mail runs"},
	{".mailcap", "mail readers", "names programs"},
	{".config/mimeapps.list", "the desktop", "what the desktop starts for a file"},
	{".rhosts", "rshd, sshd", "who may log in"},
	{".shosts", "sshd", "who may log in"},
	{".k5login", "Kerberos logins", "who may log in"},
	{".vscode-oss", "VSCodium", "its extensions"}, {".config/VSCodium", "VSCodium", "the editor's tasks and settings"},
	{".config/Cursor", "Cursor", "the editor's tasks and settings"},
	{".cursor/extensions", "Cursor", "programs of the editor"}, {".cursor-server", "Cursor", "the editor's remote half"},
	{".config/zed", "Zed", "the editor's tasks and settings"}, {".local/share/zed", "Zed", "its extensions and language servers"},
	{".config/JetBrains", "JetBrains IDEs", "external tools and startup tasks"},
	{".config/opencode", "OpenCode", "the agent's plugins, permissions and tool servers"},
}
