package policy

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Schema returns a JSON Schema, draft 2020-12, of the settings: srun's own shape,
// which is srt's too, and Claude Code's.
func Schema() []byte {
	text := `{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title": "Settings of srun",
		"anyOf": [{"$ref": "#/$defs/srun"}, {"$ref": "#/$defs/claude"}],
		"$defs": {
			"srun": ` + schemaOf("", ownShape) + `,
			"claude": {
				"type": "object",
				"required": ["sandbox"],
				"properties": {
					"sandbox": ` + sandboxSchema() + `,
					"permissions": {"type": "object"}
				}
			}
		}
	}`
	var indented bytes.Buffer
	if err := json.Indent(&indented, []byte(text), "", "  "); err != nil {
		panic(err) // a row's schema is no JSON: no input gets here
	}
	indented.WriteByte('\n')
	return indented.Bytes()
}

// schemaKey is one key of an object in a schema.
type schemaKey struct{ name, schema, about string }

// schemaOf is the object at prefix, as fieldsOf reads it.
func schemaOf(prefix string, of shapes) string {
	var keys []schemaKey
	for _, name := range namesOf(prefix, of) {
		key := joinKey(prefix, name)
		if s := settingAt(key); s != nil {
			keys = append(keys, schemaKey{name, s.kind.schema(), s.about})
		} else {
			keys = append(keys, schemaKey{name, schemaOf(key, of), ""})
		}
	}
	return schemaObject(keys)
}

// sandboxSchema is "sandbox" of Claude Code's files, whose keys are all srun's.
func sandboxSchema() string {
	var keys []schemaKey
	for _, name := range namesOf("", claudeSandbox) {
		keys = append(keys, schemaKey{name, `{"$ref": "#/$defs/srun/properties/` + name + `"}`, ""})
	}
	return schemaObject(keys)
}

func objectSchema[T any](parts []part[T]) string {
	var keys []schemaKey
	for _, p := range parts {
		keys = append(keys, schemaKey{p.name, p.schema(), p.about})
	}
	return schemaObject(keys)
}

// schemaObject is an object with these keys and no other.
func schemaObject(keys []schemaKey) string {
	members := make([]string, len(keys))
	for i, k := range keys {
		members[i] = quoted(k.name) + ": " + described(k.schema, k.about)
	}
	return `{"type": "object", "additionalProperties": false, "properties": {` + strings.Join(members, ", ") + `}}`
}

func described(schema, about string) string {
	if about == "" {
		return schema
	}
	rest := schema[1:]
	if rest != "}" {
		rest = ", " + rest
	}
	return `{"description": ` + quoted(about) + rest
}

func quoted(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string is always JSON
	}
	return string(text)
}

func (f form[T]) jsonSchema() string {
	if f.schema == nil {
		return textSchema()
	}
	return f.schema()
}

func textSchema() string { return `{"type": "string"}` }
func enumSchema(values []string) string {
	return `{"enum": ["` + strings.Join(values, `", "`) + `"]}`
}
func textListSchema() string         { return listSchema(textSchema()) }
func booleanSchema() string          { return `{"type": "boolean"}` }
func listSchema(items string) string { return `{"type": "array", "items": ` + items + `}` }
