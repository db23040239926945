package policy

// heeded is a key of another program whose value changes nothing. It is checked
// all the same, and say, where there is one, tells what becomes of it.
func heeded[T any](f form[T], say func(value, T) error) feed {
	return feed{words: f.one, json: f.jsonSchema, into: func(v value) error {
		x, err := f.read(v)
		if err != nil || say == nil {
			return err
		}
		return say(v, x)
	}}
}

// passesOver says in one line that a value which asks for something is not used.
func passesOver[T any](asks func(T) bool, why string) func(value, T) error {
	return func(v value, x T) error {
		if asks(x) {
			v.r.layer.unused = append(v.r.layer.unused, unusedKey{v.key, why})
		}
		return nil
	}
}

// refuses makes a value that asks for something an error.
func refuses[T any](asks func(T) bool, why string) func(value, T) error {
	return func(v value, x T) error {
		if asks(x) {
			return v.errorf("%s", why)
		}
		return nil
	}
}

// neverUnsandboxed says that a setting which asks for less than the sandbox is
// ignored.
func neverUnsandboxed[T any](v value, _ T) error {
	v.r.notice(v, v.key+" ignored: no file makes srun run a command unsandboxed")
	return nil
}

func yes(b bool) bool               { return b }
func notRefuse(s string) bool       { return s != "refuse" }
func notEmpty[T any](list []T) bool { return len(list) > 0 }

// anyList is a list whose entries are not looked at.
func anyList(of string) form[[]struct{}] {
	return form[[]struct{}]{
		one: "list of " + of, schema: func() string { return listSchema(`{}`) },
		json: func(v value) (entries []struct{}, err error) {
			err = v.each(of, func(value) error { entries = append(entries, struct{}{}); return nil })
			return entries, err
		},
	}
}
