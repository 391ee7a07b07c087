package postgres

import "strings"

// Configured says which database the user has configured: url (from a flag), else DATABASE_URL,
// else the libpq variables, of which PGHOST or PGSERVICE must be there (a PGUSER or PGDATABASE alone
// names no server). ok is false when none is: then the embedded server is to be used. The connection
// string holds the password and must not be logged.
func Configured(url string, getenv func(string) string) (connString string, ok bool) {
	if url = strings.TrimSpace(url); url != "" {
		return url, true
	}
	if url = strings.TrimSpace(getenv("DATABASE_URL")); url != "" {
		return url, true
	}
	if getenv("PGHOST") == "" && getenv("PGSERVICE") == "" {
		return "", false
	}
	return fromVariables(getenv), true
}

// fromVariables writes the libpq variables down as a keyword/value connection string, so that what
// was configured is one value from here on and nothing later depends on the process' environment.
func fromVariables(getenv func(string) string) string {
	var b strings.Builder
	for _, v := range libpqVariables {
		value := getenv(v.name)
		if value == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(v.keyword + "='" + quoteValue.Replace(value) + "'")
	}
	return b.String()
}

var quoteValue = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

var libpqVariables = []struct{ name, keyword string }{
	{"PGHOST", "host"},
	{"PGPORT", "port"},
	{"PGDATABASE", "dbname"},
	{"PGUSER", "user"},
	{"PGPASSWORD", "password"},
	{"PGPASSFILE", "passfile"},
	{"PGSERVICE", "service"},
	{"PGSERVICEFILE", "servicefile"},
	{"PGAPPNAME", "application_name"},
	{"PGCONNECT_TIMEOUT", "connect_timeout"},
	{"PGOPTIONS", "options"},
	{"PGSSLMODE", "sslmode"},
	{"PGSSLNEGOTIATION", "sslnegotiation"},
	{"PGSSLCERT", "sslcert"},
	{"PGSSLCERTMODE", "sslcertmode"},
	{"PGSSLKEY", "sslkey"},
	{"PGSSLPASSWORD", "sslpassword"},
	{"PGSSLROOTCERT", "sslrootcert"},
	{"PGSSLSNI", "sslsni"},
	{"PGTARGETSESSIONATTRS", "target_session_attrs"},
	{"PGCHANNELBINDING", "channel_binding"},
	{"PGREQUIREAUTH", "require_auth"},
	{"PGMINPROTOCOLVERSION", "min_protocol_version"},
	{"PGMAXPROTOCOLVERSION", "max_protocol_version"},
}
