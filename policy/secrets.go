package policy

// defaultEnv is the documented list of variables that are withheld unless
// environment.allow or --env names them. Globs are matched against the name in
// upper case.
var defaultEnv = [...]secretVariable{
	{"*_TOKEN", "API tokens: GITHUB_TOKEN, NPM_TOKEN, VAULT_TOKEN, AWS_SESSION_TOKEN"},
	{"*_TOKEN_*", "tokens with a suffix: HOMEBREW_GITHUB_API_TOKEN_2, ACTIONS_ID_TOKEN_REQUEST_URL"},
	{"TOKEN", "a bare token"},
	{"*_PAT", "personal access tokens: GITHUB_PAT, AZURE_DEVOPS_EXT_PAT"},
	{"*SECRET*", "AWS_SECRET_ACCESS_KEY, CLIENT_SECRET, SECRET_KEY_BASE"},
	{"*PASSWORD*", "PGPASSWORD, POSTGRES_PASSWORD, SSHPASSWORD"},
	{"*_PASSWD", "passwords"},
	{"*_PASS", "SMTP_PASS, DB_PASS"},
	{"SSHPASS", "the password that sshpass types"},
	{"MYSQL_PWD", "the MySQL client's password"},
	{"*PASSPHRASE*", "passphrases of keys: BORG_PASSPHRASE, GPG_PASSPHRASE"},
	{"*API_KEY*", "OPENAI_API_KEY, ANTHROPIC_API_KEY, STRIPE_API_KEY"},
	{"*APIKEY*", "the same in one word"},
	{"*_ACCESS_KEY*", "cloud access keys: AWS_ACCESS_KEY_ID, ALICLOUD_ACCESS_KEY"},
	{"*_ACCOUNT_KEY", "Azure storage keys"},
	{"*_APP_KEY", "application keys: DD_APP_KEY"},
	{"*PRIVATE_KEY*", "private keys in text: DEPLOY_PRIVATE_KEY"},
	{"*_SIGNING_KEY*", "release signing keys"},
	{"*_ENCRYPTION_KEY*", "data encryption keys"},
	{"*_MASTER_KEY", "RAILS_MASTER_KEY opens the encrypted credentials file"},
	{"*_CREDENTIALS", "credentials in text, or where they lie: GOOGLE_APPLICATION_CREDENTIALS"},
	{"*_CREDENTIALS_*", "AWS_CONTAINER_CREDENTIALS_FULL_URI hands out keys"},
	{"*_CREDS", "the same, shortened"},
	{"*_AUTH", "NPM_CONFIG__AUTH, SENTRY_AUTH"},
	{"*_AUTH_CONFIG", "DOCKER_AUTH_CONFIG holds registry logins"},
	{"NPM_CONFIG_//*", "npm's logins, one for each registry"},
	{"COMPOSER_AUTH", "Composer's registry logins"},
	{"UV_INDEX_*", "uv's index logins, some inside URLs"},
	{"BUNDLE_*__*", "Bundler's logins, one for each gem host"},
	{"TF_VAR_*", "Terraform's inputs, where secrets are passed"},
	{"*DATABASE_URL", "connection strings carry the password"},
	{"*_CONNECTION_STRING", "the same on Azure"},
	{"*_WEBHOOK_URL", "who knows the URL may post"},
	{"*_COOKIE", "session cookies"},
	{"*_JWT", "signed sessions"},
	{"SSH_AUTH_SOCK", "the SSH agent signs for whoever reaches it"},
	{"GPG_AGENT_INFO", "the GnuPG agent does, too"},
	{"*_ASKPASS", "programs that answer with the password: GIT_ASKPASS, SUDO_ASKPASS"},
	{"KRB5CCNAME", "Kerberos tickets"},
	{"XAUTHORITY", "the X server's cookie gives the keyboard away"},
}

type secretVariable struct{ glob, reason string }

func defaultEnvRules() []EnvRule {
	rules := make([]EnvRule, len(defaultEnv))
	for i := range defaultEnv {
		v := &defaultEnv[i]
		rules[i] = EnvRule{Glob: v.glob, Source: Source{Tier: TierDefault}, Reason: v.reason}
	}
	return rules
}
