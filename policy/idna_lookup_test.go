package policy

import "testing"

func TestParseHostInternational(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"bücher.example", "xn--bcher-kva.example"},
		{"BÜCHER.example.", "xn--bcher-kva.example"},
		{"faß.example", "xn--fa-hia.example"},
		{"ｅｘａｍｐｌｅ.com", "example.com"},
		{"example。com", "example.com"},
		{"example．com。", "example.com"},
		{"exam\u00adple.com", "example.com"},
		{"K.example", "k.example"}, // U+212A KELVIN SIGN
		{"１２７.0.0.1", "127.0.0.1"},
		{"127。0。0。1", "127.0.0.1"},
		{"０ｘ７ｆ.1", "127.0.0.1"},
		{"①②⑦.0.0.1", "127.0.0.1"},
		{"ехample.com", "xn--ample-ywe6i.com"}, // Cyrillic е and х
	} {
		h, err := ParseHost(tt.in)
		if err != nil || h.String() != tt.want {
			t.Errorf("ParseHost(%q) = %q, %v; want %q", tt.in, h, err, tt.want)
		}
	}
	for _, s := range []string{
		"\xff.example", "a／b.example", "a％00.example", "a＠b.example", "。", "a。。b", "a\u2028b.example",
		"\u200dx.example", "xn--\u00fc.example", "a\u0000ü", "ü b", "exa℀mple.com", "１２７.0.0.256",
	} {
		if h, err := ParseHost(s); err == nil {
			t.Errorf("ParseHost(%q) = %q; want an error", s, h)
		}
	}
	for _, s := range []string{"１２７.0.0.1:80", "127。0。0。1:80"} {
		if hp, err := ParseHostPort(s); err == nil {
			t.Errorf("ParseHostPort(%q) = %q; want an error", s, hp)
		}
	}
	if mustPattern(t, "*.Bücher.example") != mustPattern(t, "*.xn--bcher-kva.example") {
		t.Error("a pattern's two spellings differ")
	}
	if _, err := ParsePattern("*.中国"); err == nil {
		t.Error("ParsePattern(*.中国): want an error, an ICANN suffix")
	}
}
