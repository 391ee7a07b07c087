package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"archiver/simulator"
)

// ordersKeys expects that what is ordered is the same JSON, in jsonb's order, and stays as it is when it is ordered again.
func ordersKeys(t *testing.T, o *ordering, body []byte) {
	t.Helper()
	ordered := bytes.Clone(o.order(bytes.Clone(body)))
	if !bytes.Equal(canonical(ordered), canonical(body)) {
		t.Fatalf("%s is ordered as\n%s, which is not the same", body, ordered)
	}
	if again := o.order(bytes.Clone(ordered)); !bytes.Equal(again, ordered) {
		t.Fatalf("%s, which is ordered, is ordered again as\n%s", ordered, again)
	}
	isOrdered(t, ordered)
}

func isOrdered(t *testing.T, body []byte) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	last := []string{} // the name before, of each object that is open
	isName := []bool{}
	for {
		token, err := d.Token()
		if err != nil {
			return
		}
		top := len(isName) - 1
		if name, ok := token.(string); ok && top >= 0 && isName[top] {
			if before := last[top]; before > "" && (len(before) > len(name) || len(before) == len(name) && before > name) {
				t.Fatalf("%s: %q comes before %q", body, before, name)
			}
			last[top], isName[top] = name, false
			if !d.More() {
				t.Fatalf("%s: a name without a value", body)
			}
			continue
		}
		switch token {
		case json.Delim('{'):
			if top >= 0 {
				isName[top] = last[top] != "\x00"
			}
			last, isName = append(last, ""), append(isName, true)
		case json.Delim('['):
			if top >= 0 {
				isName[top] = last[top] != "\x00"
			}
			last, isName = append(last, "\x00"), append(isName, false)
		case json.Delim('}'), json.Delim(']'):
			last, isName = last[:top], isName[:top]
		default:
			if top >= 0 {
				isName[top] = last[top] != "\x00"
			}
		}
	}
}

func TestTheKeysOfAPayloadAreSentInTheOrderOfJSONB(t *testing.T) {
	t.Parallel()
	o := &ordering{}
	for _, body := range []string{
		`{}`, `[]`, `1`, `"a"`, `null`, ` { } `, `{"b":1,"a":2}`, `{"bb":1,"a":2,"ab":3}`, `{"b":{"d":1,"c":[{"f":1,"e":2}]},"a":[]}`,
		"{ \"b\" :\t1 ,\n\"a\" : [ 1 , { \"d\" : -1.5e3 , \"c\" : true } ] }", `{"b":1,"a":"\\\"","z":"}{]["}`,
		`{"tools":[{"name":"x","id":"y"}],"config":{"z":1,"b":{"y":1,"x":2}},"assistant_config":"text","a":1}`,
		`{"tools":[{"name":"x","id":"y"}],"config":{"z":1,"b":{"y":1,"x":3}},"assistant_config":null,"a":1}`,
		`{"tools":[{"name":"x","id":"y"}, {"b":1,"a":2}],"config":7,"b":1}`,
	} {
		ordersKeys(t, o, []byte(body))
	}
	// Of the same name the last one counts, however it is written.
	for _, body := range []string{
		`{"b":1,"a":1,"a":2,"c":{"z":1,"y":1,"z":2,"y":2}}`, `{"\u0061":1,"b":2,"a":3}`, `{"a":1,"b":2,"\u0061":3}`, `{"b\"":1,"a\\":2}`,
	} {
		var want, got any // the last one counts here, too
		ordered := o.order([]byte(body))
		if err := errors.Join(json.Unmarshal([]byte(body), &want), json.Unmarshal(ordered, &got)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is ordered as %s, which is not the same (%v)", body, ordered, err)
		}
	}
	for _, r := range simulated(t, simulator.Config{Seed: 3, Chats: 20}, 200) {
		ordersKeys(t, o, r.Body)
	}
	if len(o.known) == 0 {
		t.Error("no block was remembered: nothing of that was tested")
	}
}
