package redact

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
)

// secretElements are left out with all that is in them: properties have names of the
// user's own.
var secretElements = []string{"servers", "packageSourceCredentials", "apikeys", "properties"}

// xmlText shows a document without comments, secret elements, and elements whose text
// or attributes look like a secret. It is empty for what is no XML.
func xmlText(text []byte) string {
	in := xml.NewDecoder(bytes.NewReader(text))
	var out bytes.Buffer
	var starts []int // in out, of each open element
	bad := []bool{}  // whether it is to be left out
	for {
		from := in.InputOffset()
		token, err := in.RawToken()
		switch {
		case errors.Is(err, io.EOF) && len(starts) == 0:
			return moreThanRoot(out.String())
		case err != nil:
			return ""
		}
		raw := text[from:in.InputOffset()]
		switch token := token.(type) {
		case xml.Comment, xml.Directive:
		case xml.ProcInst:
			out.Write(raw)
		case xml.StartElement:
			starts, bad = append(starts, out.Len()), append(bad, secretElement(token))
			out.Write(raw)
		case xml.CharData:
			out.Write(raw)
			if n := len(bad); n > 0 && secretValue(string(token)) {
				bad[n-1] = true
			}
		case xml.EndElement:
			n := len(starts) - 1
			if n < 0 {
				return ""
			}
			out.Write(raw)
			if bad[n] {
				out.Truncate(starts[n])
			}
			starts, bad = starts[:n], bad[:n]
		}
	}
}

// moreThanRoot returns a document that has an element in its first, or "".
func moreThanRoot(doc string) string {
	if strings.Count(doc, "<")-strings.Count(doc, "</")-strings.Count(doc, "<?") <= 1 {
		return ""
	}
	return doc
}

func secretElement(e xml.StartElement) bool {
	if slices.Contains(secretElements, e.Name.Local) || secretKey(e.Name.Local) {
		return true
	}
	return slices.ContainsFunc(e.Attr, func(a xml.Attr) bool {
		namesOther := strings.EqualFold(a.Name.Local, "key") && secretKey(a.Value)
		return namesOther || a.Name.Local != "key" && secretKey(a.Name.Local) || a.Name.Space != "xmlns" && a.Name.Space != "xsi" && a.Name.Local != "xmlns" && secretValue(a.Value)
	})
}

// dockerSettings are what of Docker's settings is shown. The programs that would fetch
// logins are not: they fail inside, and the client with them.
var dockerSettings = []string{
	"proxies", "currentContext", "detachKeys", "psFormat", "imagesFormat", "statsFormat", "servicesFormat", "tasksFormat", "nodesFormat",
	"configFormat", "pluginsFormat", "volumesFormat", "networksFormat", "pruneFilters", "aliases", "features", "experimental", "cliPluginsExtraDirs",
}

// dockerJSON shows Docker's settings without logins.
func dockerJSON(text []byte) string {
	var settings map[string]json.RawMessage
	if json.Unmarshal(text, &settings) != nil {
		return ""
	}
	for key, value := range settings {
		if !slices.Contains(dockerSettings, key) || secretJSON(value) {
			delete(settings, key)
		}
	}
	shown, err := json.MarshalIndent(settings, "", "\t")
	if err != nil {
		return ""
	}
	return string(shown) + "\n"
}

// secretJSON tells whether there is a secret key or value anywhere in it.
func secretJSON(value json.RawMessage) bool {
	var object map[string]json.RawMessage
	var list []json.RawMessage
	var text string
	switch {
	case json.Unmarshal(value, &text) == nil:
		return secretValue(text)
	case json.Unmarshal(value, &list) == nil:
		return slices.ContainsFunc(list, secretJSON)
	case json.Unmarshal(value, &object) == nil:
		for key, in := range object {
			if secretKey(key) || secretValue(key) || secretJSON(in) {
				return true
			}
		}
	}
	return false
}
