package policy

import (
	"path/filepath"
	"slices"
	"strings"
)

// Cache is a directory in which a tool keeps what it can make or fetch again.
type Cache struct {
	Name string // of the command's own layer
	Tool string
	Path string // below the home, or with $CACHE below where caches lie (XDG Base Directory Specification)

	// Moves is the variable by which a user has it elsewhere, and Below what the tool
	// adds to its value.
	Moves, Below string

	// Tells is the variable, and what it is set to, by which srun tells the tool of a
	// directory of the sandbox's where the host has none; % is the directory. Where it
	// is not Moves it is of more than that, and the user's own value goes before.
	Tells string
}

// Caches returns the table of those that srun knows.
func Caches() []Cache {
	return []Cache{
		{"go-build", "go", "$CACHE/go-build", "GOCACHE", "", "GOCACHE=%"},
		{"go", "go", "go/pkg", "GOPATH", "pkg", "GOPATH=%"},
		{"go-telemetry", "go", ".config/go/telemetry", "", "", ""}, // counters that every run of the compiler writes
		{"golangci-lint", "golangci-lint", "$CACHE/golangci-lint", "GOLANGCI_LINT_CACHE", "", "GOLANGCI_LINT_CACHE=%"},
		{"staticcheck", "staticcheck", "$CACHE/staticcheck", "STATICCHECK_CACHE", "", "STATICCHECK_CACHE=%"},
		{"gopls", "gopls", "$CACHE/gopls", "", "", ""},
		{"npm", "npm, npx", ".npm", "npm_config_cache", "", "npm_config_cache=%"},
		{"node-gyp", "node-gyp", "$CACHE/node-gyp", "npm_config_devdir", "", ""}, // takes a directory below TMPDIR; npm warns of the variable,
		{"pnpm-store", "pnpm", ".local/share/pnpm", "", "", ""},
		{"pnpm-cache", "pnpm", "$CACHE/pnpm", "", "", ""},
		{"pnpm-state", "pnpm", ".local/state/pnpm", "", "", ""},
		{"yarn", "yarn 1", "$CACHE/yarn", "YARN_CACHE_FOLDER", "", "YARN_CACHE_FOLDER=%"},
		{"yarn-berry", "yarn", ".yarn/berry", "YARN_GLOBAL_FOLDER", "", "YARN_GLOBAL_FOLDER=%"},
		{"bun", "bun", ".bun/install/cache", "BUN_INSTALL_CACHE_DIR", "", "BUN_INSTALL_CACHE_DIR=%"},
		{"deno", "deno", "$CACHE/deno", "DENO_DIR", "", "DENO_DIR=%"},
		{"pip", "pip", "$CACHE/pip", "PIP_CACHE_DIR", "", "PIP_CACHE_DIR=%"},
		{"uv", "uv", "$CACHE/uv", "UV_CACHE_DIR", "", "UV_CACHE_DIR=%"},
		{"poetry", "poetry", "$CACHE/pypoetry", "POETRY_CACHE_DIR", "", "POETRY_CACHE_DIR=%"},
		{"pre-commit", "pre-commit", "$CACHE/pre-commit", "PRE_COMMIT_HOME", "", "PRE_COMMIT_HOME=%"},
		{"cargo", "cargo", ".cargo", "CARGO_HOME", "", "CARGO_HOME=%"},
		{"gradle", "gradle", ".gradle", "GRADLE_USER_HOME", "", "GRADLE_USER_HOME=%"},
		{"maven", "maven", ".m2", "", "", "MAVEN_OPTS=-Dmaven.repo.local=%/repository"}, // MAVEN_ARGS only from 3.9 on
		{"ccache", "ccache", "$CACHE/ccache", "CCACHE_DIR", "", "CCACHE_DIR=%"},
		{"ccache-old", "ccache before 4.0", ".ccache", "", "", ""},
		{"sccache", "sccache", "$CACHE/sccache", "SCCACHE_DIR", "", "SCCACHE_DIR=%"},
		{"nuget", "nuget, dotnet", ".nuget/packages", "NUGET_PACKAGES", "", "NUGET_PACKAGES=%"},
		{"composer", "composer", "$CACHE/composer", "COMPOSER_CACHE_DIR", "", "COMPOSER_CACHE_DIR=%"},
		{"zig", "zig", "$CACHE/zig", "ZIG_GLOBAL_CACHE_DIR", "", "ZIG_GLOBAL_CACHE_DIR=%"},
		{"playwright", "playwright", "$CACHE/ms-playwright", "PLAYWRIGHT_BROWSERS_PATH", "", ""},
		{"cypress", "cypress", "$CACHE/Cypress", "CYPRESS_CACHE_FOLDER", "", ""},
	}
}

// At is where the cache lies by an environment ("NAME=value" each); "" is nowhere.
func (c *Cache) At(home string, environ []string) string {
	if c.Moves != "" {
		if dir, _, _ := strings.Cut(LookEnv(environ, c.Moves), string(filepath.ListSeparator)); filepath.IsAbs(dir) {
			return filepath.Join(dir, c.Below)
		}
	}
	rest, ok := strings.CutPrefix(c.Path, "$CACHE/")
	switch {
	case ok:
		if dir := CacheHome(home, environ); dir != "" {
			return filepath.Join(dir, rest)
		}
		return ""
	case home == "":
		return ""
	}
	return filepath.Join(home, c.Path)
}

// CacheHome is where caches lie by the XDG Base Directory Specification, "" where
// that is nowhere.
func CacheHome(home string, environ []string) string {
	if dir := LookEnv(environ, "XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".cache")
}

// cacheDirs are where srun keeps private caches: in this run, and in one without the
// variable.
func (o Options) cacheDirs() (dirs []string) {
	add := func(home, set string) {
		at := CacheHome(home, []string{"XDG_CACHE_HOME=" + set})
		if dir := filepath.Join(at, "srun"); at != "" && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	add(o.Home, o.CacheHome)
	for _, home := range append([]string{o.Home}, o.OtherHomes...) {
		add(home, "")
	}
	return dirs
}

// LookEnv returns the value that counts of a variable.
func LookEnv(environ []string, name string) (value string) {
	for _, kv := range environ {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			value = v
		}
	}
	return value
}
