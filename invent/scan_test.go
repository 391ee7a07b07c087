package invent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// scanned goes through body with the scanner, and says where each token is.
func scanned(body []byte) (tokens []string, ok bool) {
	var s scanner
	s.reset(body)
	for {
		token := s.token()
		if s.err != nil || s.depth() >= deepest {
			return nil, false
		}
		tokens = append(tokens, fmt.Sprintf("%s %q", s.pointer(), token))
		if s.depth() == 0 {
			return tokens, s.atEnd()
		}
	}
}

// readByJSONText is the same by jsontext.
func readByJSONText(body []byte) (tokens []string, ok bool) {
	d := jsontext.NewDecoder(bytes.NewBuffer(body))
	for {
		var token []byte
		switch d.PeekKind() {
		case '{', '}', '[', ']':
			t, err := d.ReadToken()
			if err != nil {
				return nil, false
			}
			token = []byte(t.String())
		default:
			v, err := d.ReadValue()
			if err != nil {
				return nil, false
			}
			token = v
		}
		tokens = append(tokens, fmt.Sprintf("%s %q", d.StackPointer(), token))
		if d.StackDepth() == 0 {
			_, err := d.ReadToken()
			return tokens, errors.Is(err, io.EOF)
		}
	}
}

func scansLikeJSONText(t *testing.T, body []byte) {
	t.Helper()
	got, ok := scanned(bytes.Clone(body))
	want, wanted := readByJSONText(body)
	if ok != wanted {
		t.Fatalf("%.200q: the scanner says that it is JSON: %v, want what jsontext says: %v", body, ok, wanted)
	}
	if ok && strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("%.200q: the scanner reads\n%s\nwant what jsontext reads\n%s", body, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// scans are what the scanner could take for something else.
var scans = []string{
	``, ` `, `{}`, `[]`, ` [ ] `, `{"a":1}`, `{"a":1,}`, `{"a" 1}`, `{"a":1 "b":2}`, `{,"a":1}`, `{"a":}`, `{"a"}`, `[1,]`, `[,1]`,
	`[1 2]`, `[1,2`, `{"a":1`, `}`, `]`, `[}`, `{]`, `{}{}`, `1 2`, `{"a":1}x`, `[[[[]]],[]]`, `{"a":{"b":[{"c":null}]}}`, `{1:2}`, `{null:2}`,
	`0`, `-0`, `01`, `-`, `1.`, `.5`, `1.5e+3`, `1e`, `1e+`, `-1E-10`, `+1`, `1a`, `0x1`, `true`, `tru`, `truex`, `false`, `null`, `nul`, `[truefalse]`,
	`"`, `"a`, `"a"b`, `"\n"`, "\"\n\"", "\"\x7f\"", `"\x"`, `"\`, `"\u12"`, `"\u12G4"`, `"\u00e9"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ud83dx"`, `"\ud83d\n"`,
	`"\ud83d\u0041"`, `"\ude00"`, `"\ude00\ud83d"`, `"\uD83D\uDE00"`, "\"\xff\"", "\"\xc3\xa9\"", "\"\xed\xa0\x80\"", "\"\xf0\x9f\x98\x80\"", "\"\xf0\x9f\x98\"", "\"\xc0\x80\"",
	`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"":1,"":2}`, `{"a":{"a":1},"b":{"a":1}}`, `{"a":[{"b":1},{"b":2}],"a":3}`, `{"a/b":{"c~d":[1]}}`, `{"\u00e9":1,"é":2}`,
	"\xef\xbb\xbf{}", "{\"a\"\t:\r\n1 , \"b\" : [ 1 , 2 ] }", `{"12345678":"12345678","1234567":"123456789012345678901234567890"}`,
	`"a plain text of more than eight bytes, then \" and \\ and é and more"`, `{"a":1,"b":2,"c":3,"d":4,"a":5}`,
}

func TestTheScannerReadsWhatJSONTextReads(t *testing.T) {
	t.Parallel()
	for _, body := range scans {
		scansLikeJSONText(t, []byte(body))
	}
	many := strings.Builder{}
	for i := range 300 {
		fmt.Fprintf(&many, `"name %d":%d,`, i, i)
	}
	for _, more := range []string{`"last":1`, `"name 0":1`, `"name 63":1`, `"name 64":1`, `"name 299":1`} {
		scansLikeJSONText(t, []byte("{"+many.String()+more+"}"))
	}
	scansLikeJSONText(t, []byte(strings.Repeat("[", deepest+1)+strings.Repeat("]", deepest+1)))
}

func FuzzTheScannerReadsWhatJSONTextReads(f *testing.F) {
	for _, body := range scans {
		f.Add([]byte(body))
	}
	f.Fuzz(scansLikeJSONText)
}
