package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAddAllowedDomainKeepsLayout(t *testing.T) {
	for _, tt := range []struct{ name, before, after string }{
		{"empty object", "{}", "{\n  \"network\": {\n    \"allowedDomains\": [\n      \"new.example\"\n    ]\n  }\n}"},
		{"one line", `{"network": {"allowedDomains": ["a.example"]}}`, `{"network": {"allowedDomains": ["a.example", "new.example"]}}`},
		{"lines", `{
  // mine
  "network": {
    "allowedDomains": [
      "a.example", // first
      "b.example"
    ]
  }
}
`, `{
  // mine
  "network": {
    "allowedDomains": [
      "a.example", // first
      "b.example",
      "new.example"
    ]
  }
}
`},
		{"trailing comma and comment", `{
	"network": {
		"allowedDomains": [
			"a.example", // first
			// nothing more
		],
	},
}
`, `{
	"network": {
		"allowedDomains": [
			"a.example", // first
			// nothing more
			"new.example",
		],
	},
}
`},
		{"comment after the last", `{"network": {"allowedDomains": [
  "a.example" // why
]}}`, `{"network": {"allowedDomains": [
  "a.example", // why
  "new.example"
]}}`},
		{"no list yet", `{
  "limits": {"pids": 3} // few
}`, `{
  "limits": {"pids": 3}, // few
  "network": {
    "allowedDomains": [
      "new.example"
    ]
  }
}`},
		{"claude", `{"sandbox": {"network": {}}, "x": 1}`, `{"sandbox": {"network": {
      "allowedDomains": [
        "new.example"
      ]
    }}, "x": 1}`},
	} {
		got, err := addAllowedDomain([]byte(tt.before), "/p", "new.example")
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.after, string(got)); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
	}
	for _, text := range []string{"", "[]", `{"network": []}`, `{"network": {"allowedDomains": {}}}`, `{"network": {"allowedDomains": [7]}}`, `{"x": 1}`} {
		if got, err := addAllowedDomain([]byte(text), "/p", "new.example"); err == nil {
			t.Errorf("addAllowedDomain(%q) = %q; want an error", text, got)
		}
	}
}
