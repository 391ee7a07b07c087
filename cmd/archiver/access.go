package main

import (
	"os"
	"strings"

	"archiver/invent"
)

// access is how a command comes to Invent's API.
type access struct {
	APIKeyFile string `name:"api-key-file" placeholder:"FILE" from:"INVENT_API_KEY_FILE" help:"File that holds the API key. Required, unless the key itself is in $$INVENT_API_KEY; where both are set, the file counts."`
	APIURL     string `name:"api-url" placeholder:"URL" default:"https://api.useinvent.com" from:"INVENT_API_URL" help:"Where Invent's API is; plain http is allowed to loopback only."`
}

// client makes a client of the API; config says how, but for where and with which key.
func (a access) client(p *program, config invent.Config) (*invent.Client, error) {
	key, err := apiKey(a.APIKeyFile, p.env)
	if err != nil {
		return nil, err
	}
	config.BaseURL, config.APIKey, config.UserAgent = a.APIURL, key, "archiver/"+version()
	client, err := invent.NewClient(config)
	if err != nil {
		return nil, &usageError{err: err}
	}
	return client, nil
}

// apiKey reads the key from its file, else from INVENT_API_KEY. A missing key is left for the client to complain about.
func apiKey(file string, env environment) (string, error) {
	if file == "" {
		return strings.TrimRight(env.get("INVENT_API_KEY"), "\r\n"), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", usagef("the file of --api-key-file or INVENT_API_KEY_FILE cannot be read: %w", err)
	}
	key := strings.TrimRight(string(text), "\r\n")
	if key == "" {
		return "", usagef("the file %s of --api-key-file or INVENT_API_KEY_FILE is empty: write the API key into it", file)
	}
	return key, nil
}
