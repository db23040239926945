//go:build linux

package testhost

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// What the two configuration languages of dovecot share. DIR is its own
// directory, ID the ordinary user's.
const dovecotBoth = `
listen = ADDRS
base_dir = DIR/run
log_path = DIR/log
first_valid_uid = 1
ssl = yes
protocols = imap
`

const dovecot23 = dovecotBoth + `
ssl_cert = <DIR/cert.pem
ssl_key = <DIR/key.pem
mail_location = maildir:DIR/mail
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=ID gid=ID home=DIR/mail
}
`

const dovecot24 = `dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
` + dovecotBoth + `
ssl_server_cert_file = DIR/cert.pem
ssl_server_key_file = DIR/key.pem
mail_driver = maildir
mail_path = DIR/mail
passdb static {
  password = secret
}
userdb static {
  fields {
    uid = ID
    gid = ID
    home = DIR/mail
  }
}
`

// dovecot serves IMAP on port 143, and on 993 inside TLS.
func dovecot(p place) (*exec.Cmd, error) {
	version, err := exec.Command("dovecot", "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("dovecot --version: %w", err)
	}
	text := dovecot24
	if strings.HasPrefix(string(version), "2.3") {
		text = dovecot23
	}
	if err := p.certificate("*.srun.test"); err != nil {
		return nil, err
	}
	mail := filepath.Join(p.dir, "mail")
	if err := os.Mkdir(mail, 0o700); err != nil {
		return nil, err
	}
	if err := os.Chown(mail, int(p.m.user.id), int(p.m.user.id)); err != nil {
		return nil, err
	}
	text = strings.NewReplacer("DIR", p.dir, "ADDRS", strings.Join(p.addrs, ", "), "ID", fmt.Sprint(p.m.user.id)).Replace(text)
	conf, err := p.write("dovecot.conf", text)
	return exec.Command("dovecot", "-F", "-c", conf), err
}

// certificate writes cert.pem and key.pem for a name.
func (p place) certificate(name string) error {
	leaf, err := p.ca.forName(name)
	if err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		return err
	}
	for file, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: leaf.Certificate[0]},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: key},
	} {
		if _, err := p.write(file, string(pem.EncodeToMemory(block))); err != nil {
			return err
		}
	}
	return nil
}
