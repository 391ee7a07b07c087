package invent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
)

const testKey = "inv_canary_key_8f3a"

// connectTo returns a client of the server at address, with waits shortened by change.
func connectTo(t testing.TB, address string, change ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{BaseURL: address, APIKey: testKey}
	for _, f := range change {
		f(&cfg)
	}
	c, err := NewClient(cfg)
	if err != nil {
		t.Fatalf("making a client of %s: %v", address, err)
	}
	t.Cleanup(c.CloseIdle)
	return c
}

func TestTheKeyGoesOnlyOverHTTPSOrToLoopback(t *testing.T) {
	for address, allowed := range map[string]bool{
		"https://api.useinvent.com":        true,
		"https://api.useinvent.com/v1/":    true,
		"HTTPS://api.useinvent.com":        true,
		"http://localhost:8787":            true,
		"http://LOCALHOST":                 true,
		"http://127.0.0.1:8787":            true,
		"http://127.44.0.9":                true,
		"http://[::1]:8787":                true,
		"http://[::ffff:127.0.0.1]":        true,
		"http://api.useinvent.com":         false,
		"http://localhost.example.com":     false,
		"http://127.0.0.1.example.com":     false,
		"http://0.0.0.0:8787":              false,
		"http://10.0.0.1":                  false,
		"http://[::]":                      false,
		"wss://api.useinvent.com":          false,
		"api.useinvent.com":                false,
		"":                                 false,
		"https://":                         false,
		"https:///orgs":                    false,
		"https://api.useinvent.com?a=b":    false,
		"https://api.useinvent.com?":       false,
		"https://api.useinvent.com#a":      false,
		"https://key@api.useinvent.com":    false,
		"https://a:hush@api.useinvent.com": false,
		"https://api.useinvent.com:x":      false,
	} {
		err := Config{BaseURL: address, APIKey: testKey}.Validate()
		if allowed && err != nil {
			t.Errorf("%q should be allowed, got: %v", address, err)
		}
		if allowed {
			continue
		}
		if err == nil {
			t.Errorf("%q should be refused", address)
			continue
		}
		for _, want := range []string{"--api-url", "INVENT_API_URL"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error for %q should name %s: %v", address, want, err)
			}
		}
		if strings.Contains(address, "@") {
			if strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "key@") {
				t.Errorf("what stands before the @ of %q should not be quoted: %v", address, err)
			}
		} else if !strings.Contains(err.Error(), address) {
			t.Errorf("the error for %q should quote it: %v", address, err)
		}
	}
}

func TestAKeyThatCannotBeSentIsRefusedWithoutQuotingIt(t *testing.T) {
	for _, key := range []string{"", "canary\n", "can ary", "canary\x00", "kéy-canary"} {
		err := Config{BaseURL: DefaultBaseURL, APIKey: key}.Validate()
		if err == nil {
			t.Errorf("the key %q should be refused", key)
			continue
		}
		for _, want := range []string{"INVENT_API_KEY", "--api-key-file"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error should name %s: %v", want, err)
			}
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("the error should not quote the key: %v", err)
		}
	}
}

func TestSettingsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"--max-frame-bytes":        func(c *Config) { c.MaxFrameBytes = -1 },
		"ARCHIVER_MAX_FRAME_BYTES": func(c *Config) { c.MaxFrameBytes = 1<<63 - 1 },
		"HandshakeTimeout":         func(c *Config) { c.HandshakeTimeout = -1 },
		"RequestTimeout":           func(c *Config) { c.RequestTimeout = -1 },
		"PingInterval":             func(c *Config) { c.PingInterval = -1 },
		"IdleTimeout":              func(c *Config) { c.PingInterval, c.IdleTimeout = time.Second, time.Second },
	} {
		cfg := Config{BaseURL: DefaultBaseURL, APIKey: testKey}
		change(&cfg)
		if _, err := NewClient(cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("NewClient should refuse this and name %s, got: %v", name, err)
		}
	}
}

func TestTheKeyIsNeverPrinted(t *testing.T) {
	cfg := Config{BaseURL: DefaultBaseURL, APIKey: testKey}
	client := connectTo(t, DefaultBaseURL)
	var out bytes.Buffer
	for _, value := range []any{cfg, &cfg, client, *client, struct{ C Config }{cfg}} {
		fmt.Fprintf(&out, "%v %+v %#v %s\n", value, value, value, value)
		slog.New(slog.NewTextHandler(&out, nil)).Info("text", "value", value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "value", value)
	}
	encoded, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	if strings.Contains(out.String(), testKey) {
		t.Errorf("the key should not be in what is printed:\n%s", out.String())
	}
	if !strings.Contains(out.String(), DefaultBaseURL) {
		t.Errorf("the address should be in what is printed:\n%s", out.String())
	}
}

func TestAnIDCannotLeadToAnotherPath(t *testing.T) {
	var paths []string
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.EscapedPath())
		fmt.Fprint(w, "[]")
	})
	client := connectTo(t, server.URL+"/base/")
	for _, id := range []string{"../admin", "a/b", "a?b#c", "ä ö", "%2e%2e", "..%2f"} {
		if _, err := client.InboxPage(t.Context(), id, 1, 1); err != nil {
			t.Errorf("asking for the inbox of %q: %v", id, err)
		}
	}
	want := []string{"/base/orgs/..%2Fadmin/inbox", "/base/orgs/a%2Fb/inbox", "/base/orgs/a%3Fb%23c/inbox",
		"/base/orgs/%C3%A4%20%C3%B6/inbox", "/base/orgs/%252e%252e/inbox", "/base/orgs/..%252f/inbox"}
	if fmt.Sprint(paths) != fmt.Sprint(want) {
		t.Errorf("the paths asked for should be\n%q, got\n%q", want, paths)
	}
	for _, id := range []string{"", ".", ".."} {
		if _, err := client.InboxPage(t.Context(), id, 1, 1); err == nil {
			t.Errorf("InboxPage should refuse the id %q", id)
		}
		if _, err := client.Dial(context.Background(), id); err == nil {
			t.Errorf("Dial should refuse the id %q", id)
		}
	}
	if len(paths) != len(want) {
		t.Errorf("refused ids should send nothing, got %q", paths[len(want):])
	}
}
