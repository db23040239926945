package policy

import "slices"

// startSet is what a program needs to start and to know where it is: loader, libraries
// and programs of the system, names of users and hosts, authorities, time and language.
// It can be read where denyRead is "/", unless a rule names a part of it.
var startSet = [...]struct{ path, goos string }{
	{"/usr", ""}, {"/bin", ""}, {"/sbin", ""}, {"/lib", "linux"}, {"/lib32", "linux"}, {"/lib64", "linux"}, {"/libx32", "linux"},
	{"/nix/store", ""}, {"/gnu/store", "linux"}, {"/etc/profiles", "linux"}, {"/run/current-system", "linux"},

	{"/etc/ld.so.cache", "linux"}, {"/etc/ld.so.conf", "linux"}, {"/etc/ld.so.conf.d", "linux"}, {"/etc/ld.so.preload", "linux"},
	{"/etc/ld-musl-x86_64.path", "linux"}, {"/etc/ld-musl-aarch64.path", "linux"}, {"/etc/alternatives", "linux"},

	{"/etc/passwd", ""}, {"/etc/group", ""}, {"/etc/nsswitch.conf", ""}, {"/etc/hosts", ""}, {"/etc/resolv.conf", ""},
	{"/etc/host.conf", ""}, {"/etc/gai.conf", ""}, {"/etc/services", ""}, {"/etc/protocols", ""}, {"/etc/hostname", ""},

	{"/etc/ssl", ""}, {"/etc/pki", "linux"}, {"/etc/ca-certificates", "linux"}, {"/etc/crypto-policies", "linux"},
	{"/etc/localtime", ""}, {"/etc/timezone", ""}, {"/etc/locale.conf", ""}, {"/etc/locale.alias", ""}, {"/etc/default/locale", ""},
	{"/etc/os-release", ""}, {"/etc/debian_version", ""}, {"/etc/lsb-release", ""}, {"/etc/mime.types", ""},
	{"/etc/terminfo", ""}, {"/etc/inputrc", ""}, {"/etc/shells", ""}, {"/etc/profile", ""}, {"/etc/profile.d", ""}, {"/etc/environment", ""},
	{"/etc/bash.bashrc", ""}, {"/etc/bashrc", ""}, {"/etc/zsh", ""}, {"/etc/gitconfig", ""}, {"/etc/ssh/ssh_config", ""}, {"/etc/ssh/ssh_config.d", ""},

	{"/sys/devices/system/cpu", "linux"}, {"/sys/devices/system/node", "linux"}, {"/sys/fs/cgroup", "linux"}, {"/sys/kernel/mm/transparent_hugepage", "linux"},

	{"/System", "darwin"}, {"/Library/Developer", "darwin"}, {"/Library/Frameworks", "darwin"}, {"/private/etc", "darwin"}, {"/private/var/db", "darwin"},
	{"/opt/homebrew", "darwin"},
}

// StartSet returns the paths of the set on a system. Not all of them are there.
func StartSet(goos string) (paths []string) {
	for _, needed := range startSet {
		if needed.goos == "" || needed.goos == goos {
			paths = append(paths, needed.path)
		}
	}
	return paths
}

// allowStart allows it where the command reads by allow list.
func (o Options) allowStart(denied []PathRule) (rules []PathRule) {
	if !slices.ContainsFunc(denied, func(r PathRule) bool { return r.Path == "/" && !r.Glob }) {
		return nil
	}
	for _, path := range StartSet(o.GOOS) {
		rules = append(rules, defaultRule(path, "what programs need to start"))
	}
	return rules
}
