package docs

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tailscale/hujson"

	"srun/policy"
)

func decodedSchema(t *testing.T) map[string]any {
	t.Helper()
	var schema map[string]any
	if err := json.Unmarshal(policy.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

func checkKeys(t *testing.T, schema map[string]any, name string, text []byte) {
	t.Helper()
	plain, err := hujson.Standardize(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var settings any
	if err := json.Unmarshal(plain, &settings); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, key := range unknownKeys(schema, schema, settings, "") {
		t.Errorf("%s: the schema does not know %s", name, key)
	}
}

// unknownKeys returns the keys of value that a node of the schema does not
// have; of alternatives the best counts.
func unknownKeys(root, node map[string]any, value any, at string) (unknown []string) {
	if ref, ok := node["$ref"].(string); ok {
		target := any(root)
		for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			target = target.(map[string]any)[step]
		}
		return unknownKeys(root, target.(map[string]any), value, at)
	}
	if alternatives, ok := node["anyOf"].([]any); ok {
		for i, alternative := range alternatives {
			found := unknownKeys(root, alternative.(map[string]any), value, at)
			if i == 0 || len(found) < len(unknown) {
				unknown = found
			}
		}
		return unknown
	}
	switch value := value.(type) {
	case []any:
		if items, ok := node["items"].(map[string]any); ok {
			for _, v := range value {
				unknown = append(unknown, unknownKeys(root, items, v, at)...)
			}
		}
	case map[string]any:
		return unknownMembers(root, node, value, at)
	}
	return unknown
}

func unknownMembers(root, node, value map[string]any, at string) (unknown []string) {
	properties, _ := node["properties"].(map[string]any)
	others, isSchema := node["additionalProperties"].(map[string]any)
	required, _ := node["required"].([]any)
	for _, name := range required {
		if _, there := value[name.(string)]; !there {
			unknown = append(unknown, "(without) "+name.(string))
		}
	}
	for name, v := range value {
		key := strings.TrimPrefix(at+"."+name, ".")
		property, known := properties[name].(map[string]any)
		switch {
		case known:
			unknown = append(unknown, unknownKeys(root, property, v, key)...)
		case isSchema:
			unknown = append(unknown, unknownKeys(root, others, v, key)...)
		case node["additionalProperties"] == false:
			unknown = append(unknown, key)
		}
	}
	return unknown
}
