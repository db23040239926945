package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// printCompletion writes a completion script: srun's flags and their values up to
// the command, and from there what the shell completes for the command itself.
func printCompletion(w io.Writer, shell string, f *pflag.FlagSet) error {
	write, ok := map[string]func(*pflag.FlagSet) string{
		"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion,
	}[shell]
	if !ok {
		return fmt.Errorf("--completion: %q: not one of bash, zsh, fish", shell)
	}
	_, err := io.WriteString(w, write(f))
	return err
}

// takesWord tells whether a flag's value is the next word.
func takesWord(flag *pflag.Flag) bool {
	return flag.Value.Type() != "bool" && flag.NoOptDefVal == ""
}

// spellings are a flag's names as they are typed.
func spellings(flag *pflag.Flag) []string {
	switch {
	case flag.Name == "c":
		return []string{"-c"}
	case flag.Shorthand != "":
		return []string{"--" + flag.Name, "-" + flag.Shorthand}
	}
	return []string{"--" + flag.Name}
}

func bashCompletion(f *pflag.FlagSet) string {
	var all, withValue, values []string
	for _, flag := range offered(f) {
		names := spellings(flag)
		all = append(all, names...)
		if takesWord(flag) {
			withValue = append(withValue, names...)
		}
		pattern := strings.Join(names, "|")
		if words := slices.DeleteFunc(slices.Clone(choices[flag.Name]), func(s string) bool { return s == "" }); len(words) > 0 {
			values = append(values, fmt.Sprintf("\t\t%s) COMPREPLY=($(compgen -W %q -- \"$cur\")) ;;\n", pattern, strings.Join(words, " ")))
		} else if slices.Contains(takesFile, flag.Name) {
			values = append(values, fmt.Sprintf("\t\t%s) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n", pattern))
		}
	}
	return fmt.Sprintf(`_srun() {
	local i skip= with_value=" %s " cur=${COMP_WORDS[COMP_CWORD]}
	for ((i = 1; i < COMP_CWORD; i++)); do
		local word=${COMP_WORDS[i]}
		if [ -n "$skip" ]; then skip=; continue; fi
		case $word in
		--) ((i++)); break ;;
		-*) case $with_value in *" $word "*) skip=$word ;; esac ;;
		*) break ;;
		esac
	done
	if ((i < COMP_CWORD)) && declare -F _command_offset >/dev/null; then
		_command_offset "$i"
	elif [ -n "$skip" ]; then
		case $skip in
%s		esac
	elif [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "%s" -- "$cur"))
	else
		COMPREPLY=($(compgen -c -- "$cur"))
	fi
}
complete -F _srun srun
`, strings.Join(withValue, " "), strings.Join(values, ""), strings.Join(all, " "))
}

func zshCompletion(f *pflag.FlagSet) string {
	var b strings.Builder
	b.WriteString("#compdef srun\n_arguments -S \\\n")
	for _, flag := range offered(f) {
		arg, usage := pflag.UnquoteUsage(flag)
		text := strings.NewReplacer("[", "\\[", "]", "\\]", "'", "", ":", "\\:").Replace(usage)
		value := ""
		if takesWord(flag) || flag.NoOptDefVal != "" && choices[flag.Name] != nil {
			value = ":" + strings.NewReplacer("[", "", "]", "", ":", " ").Replace(arg) + ":"
			if words := choices[flag.Name]; words != nil {
				value += "(" + strings.ReplaceAll(strings.TrimSpace(strings.Join(words, " ")), ":", "\\:") + ")"
			} else if slices.Contains(takesFile, flag.Name) {
				value += "_files"
			}
		}
		for _, name := range spellings(flag) {
			if flag.NoOptDefVal != "" && flag.Value.Type() != "bool" {
				name += "=-" // the value is in the same word
			}
			fmt.Fprintf(&b, "  '*%s[%s]%s' \\\n", name, text, value)
		}
	}
	b.WriteString("  '*::command:_normal'\n")
	return b.String()
}

func fishCompletion(f *pflag.FlagSet) string {
	var b strings.Builder
	for _, flag := range offered(f) {
		_, usage := pflag.UnquoteUsage(flag)
		name := "-l " + flag.Name
		if flag.Name == "c" {
			name = "-s c"
		} else if flag.Shorthand != "" {
			name += " -s " + flag.Shorthand
		}
		value := ""
		switch words := choices[flag.Name]; {
		case words != nil:
			value = fmt.Sprintf(" -x -a %q", strings.TrimSpace(strings.Join(words, " ")))
		case takesWord(flag) && slices.Contains(takesFile, flag.Name):
			value = " -r -F"
		case takesWord(flag):
			value = " -x"
		}
		fmt.Fprintf(&b, "complete -c srun %s%s -d %q\n", name, value, usage)
	}
	b.WriteString("complete -c srun -x -a '(__fish_complete_subcommand)'\n")
	return b.String()
}
