package direnv

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoads(t *testing.T) {
	for _, c := range []struct{ envrc, want string }{
		{"", ""},
		{"dotenv\n", ".env"},
		{"export A=1\n  dotenv_if_exists .env.local # mine\n", ".env.local"},
		{"dotenv # the default\n", ".env"},
		{"source_env ..\nsource_env .envrc.private", ".. .envrc.private"},
		{"source_env_if_exists 'sub'", "sub"},
		{`[ -f env.sh ] && . ./env.sh; source "$PWD/more.sh"`, "./env.sh more.sh"},
		{"if [ -f .env ]; then dotenv; fi\n[ -f x ] || { source x; }", ".env x"},
		{"source ~/a.sh\nsource $HOME/b.sh\nsource /etc/c.sh", "~/a.sh ~/b.sh /etc/c.sh"},
		{"# dotenv\nsource_up\nPATH_add bin\nexport CONFIG=source\nsource $(which x)\nsource *.sh", ""},
	} {
		if diff := cmp.Diff(c.want, strings.Join(Loads([]byte(c.envrc)), " ")); diff != "" {
			t.Errorf("Loads(%q): %s", c.envrc, diff)
		}
	}
}
