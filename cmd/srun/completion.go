package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"
)

// printCompletion writes a completion script: srun's flags up to the command,
// and from there what the shell completes for the command itself.
func printCompletion(w io.Writer, shell string, f *pflag.FlagSet) error {
	write, ok := map[string]func(io.Writer, *pflag.FlagSet) error{
		"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion,
	}[shell]
	if !ok {
		return fmt.Errorf("--completion: %q: not one of bash, zsh, fish", shell)
	}
	return write(w, f)
}

func flagNames(f *pflag.FlagSet) (all, withValue []string) {
	f.VisitAll(func(flag *pflag.Flag) {
		name := "--" + flag.Name
		if flag.Name == "c" {
			name = "-c"
		}
		all = append(all, name)
		if flag.Value.Type() != "bool" && flag.NoOptDefVal == "" {
			withValue = append(withValue, name)
		}
	})
	return all, withValue
}

func bashCompletion(w io.Writer, f *pflag.FlagSet) error {
	all, withValue := flagNames(f)
	_, err := fmt.Fprintf(w, `_srun() {
	local i skip= with_value=" %s "
	for ((i = 1; i < COMP_CWORD; i++)); do
		local word=${COMP_WORDS[i]}
		if [ -n "$skip" ]; then skip=; continue; fi
		case $word in
		--) ((i++)); break ;;
		-*) case $with_value in *" $word "*) skip=1 ;; esac ;;
		*) break ;;
		esac
	done
	if ((i < COMP_CWORD)) && declare -F _command_offset >/dev/null; then
		_command_offset "$i"
	elif [ -z "$skip" ] && [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
		COMPREPLY=($(compgen -W "%s" -- "${COMP_WORDS[COMP_CWORD]}"))
	elif [ -n "$skip" ]; then
		COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
	else
		COMPREPLY=($(compgen -c -- "${COMP_WORDS[COMP_CWORD]}"))
	fi
}
complete -F _srun srun
`, strings.Join(withValue, " "), strings.Join(all, " "))
	return err
}

func zshCompletion(w io.Writer, f *pflag.FlagSet) error {
	var b strings.Builder
	b.WriteString("#compdef srun\n_arguments -S \\\n")
	f.VisitAll(func(flag *pflag.Flag) {
		arg, usage := pflag.UnquoteUsage(flag)
		text := strings.NewReplacer("[", "\\[", "]", "\\]", "'", "", ":", "\\:").Replace(usage)
		name := "--" + flag.Name
		if flag.Name == "c" {
			name = "-c"
		}
		fmt.Fprintf(&b, "  '*%s[%s]", name, text)
		if flag.Value.Type() != "bool" && flag.NoOptDefVal == "" {
			fmt.Fprintf(&b, ":%s:_files", strings.NewReplacer("[", "", "]", "", ":", " ").Replace(arg))
		}
		b.WriteString("' \\\n")
	})
	b.WriteString("  '*::command:_normal'\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func fishCompletion(w io.Writer, f *pflag.FlagSet) error {
	var b strings.Builder
	f.VisitAll(func(flag *pflag.Flag) {
		_, usage := pflag.UnquoteUsage(flag)
		name := "-l " + flag.Name
		if flag.Name == "c" {
			name = "-s c"
		}
		value := ""
		if flag.Value.Type() != "bool" && flag.NoOptDefVal == "" {
			value = " -r"
		}
		fmt.Fprintf(&b, "complete -c srun %s%s -d %q\n", name, value, usage)
	})
	b.WriteString("complete -c srun -x -a '(__fish_complete_subcommand)'\n")
	_, err := io.WriteString(w, b.String())
	return err
}
