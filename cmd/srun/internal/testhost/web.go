//go:build linux

package testhost

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cgi"
	"os/exec"
	"path/filepath"
	"strconv"
)

// web is the HTTP server behind every HTTP and HTTPS port, of HTTP/1 and HTTP/2 with
// and without TLS:
//
//	/repo.git   a git repository, clone and push
//	/echo       method, host, header and body of the request
//	/bytes?n=N  N bytes, all the same
//	/           "hello from HOST"
type web struct {
	records *recorder
	mux     *http.ServeMux
}

func newWeb(m machine, records *recorder) (*web, error) {
	if err := makeRepository(m); err != nil {
		return nil, err
	}
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, err
	}
	w := &web{records: records, mux: http.NewServeMux()}
	w.mux.Handle("/repo.git/", &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: append(gitEnv(),
		"GIT_PROJECT_ROOT="+m.gitDir(), "GIT_HTTP_EXPORT_ALL=1")})
	w.mux.HandleFunc("/echo", echo)
	w.mux.HandleFunc("/bytes", bytes)
	w.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "hello from %s\n", r.Host) })
	return w, nil
}

func (s *web) serve(listener net.Listener) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: s, ErrorLog: log.New(io.Discard, "", 0), Protocols: protocols}
	_ = server.Serve(listener)
}

func (s *web) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.records.note("http %s %s %s", r.Method, r.Host, r.URL.Path)
	s.mux.ServeHTTP(w, r)
}

func echo(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s %s\nhost: %s\n", r.Method, r.URL, r.Host)
	_ = r.Header.Write(w)
	fmt.Fprintln(w)
	_, _ = io.Copy(w, r.Body)
}

func bytes(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.ParseInt(r.URL.Query().Get("n"), 10, 64)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
	_, _ = io.Copy(w, io.LimitReader(same('x'), n))
}

// same is an endless stream of one byte.
type same byte

func (b same) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}

func (m machine) gitDir() string { return filepath.Join(m.dir, "git") }

// gitEnv lets git serve a repository whose owner is not the one who asks.
func gitEnv() []string {
	return []string{"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}
}

// makeRepository makes git/repo.git, with two commits on main.
func makeRepository(m machine) error {
	const script = `
set -eu
mkdir -p "$1" && cd "$1"
export HOME=$1 GIT_AUTHOR_NAME=Test GIT_AUTHOR_EMAIL=test@srun.test
export GIT_COMMITTER_NAME=Test GIT_COMMITTER_EMAIL=test@srun.test
git init -q -b main work && cd work
echo 'a test repository' >README
git add README && git commit -q -m first
head -c 300000 /dev/urandom >data
git add data && git commit -q -m second
cd .. && git clone -q --bare work repo.git && rm -rf work
git -C repo.git config http.receivepack true
chmod -R a+rwX repo.git
`
	out, err := exec.Command("sh", "-c", script, "sh", m.gitDir()).CombinedOutput()
	if err != nil {
		return fmt.Errorf("make repository: %w\n%s", err, out)
	}
	return nil
}
