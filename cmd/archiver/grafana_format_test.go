package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestGrafanasDashboardsAreWrittenInOneWay holds the files to the order of keys in which Grafana exports a dashboard, and to
// short lines, so that what was exported differs from the file only in what was changed.
func TestGrafanasDashboardsAreWrittenInOneWay(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(grafanaDir + "/dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards in %s: %v", grafanaDir, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		formatted, err := formatDashboard(text)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if bytes.Equal(formatted, text) {
			continue
		}
		if !*update {
			t.Errorf("%s is written in another way: make dashboards puts it right", file)
		} else if err := os.WriteFile(file, formatted, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADashboardIsFormattedWithItsKeysInOrderAndWhatIsShortOnOneLine(t *testing.T) {
	t.Parallel()
	const (
		text = `{"title":"A","id":12345678901234567890,"version":3,"panels":[{"type":"row","gridPos":{"y":1,"x":0.5}}],
			"empty":{},"rawSql":"select '<&>'\n, 1 as \"n\" from an_endless_table_with_a_name_so_long_that_no_line_of_ours_can_hold_it_with_others"}`
		want = `{
  "empty": {},
  "panels": [{"gridPos": {"x": 0.5, "y": 1}, "type": "row"}],
  "rawSql": "select '<&>'\n, 1 as \"n\" from an_endless_table_with_a_name_so_long_that_no_line_of_ours_can_hold_it_with_others",
  "title": "A"
}
`
	)
	got, err := formatDashboard([]byte(text))
	if err != nil || string(got) != want {
		t.Errorf("it becomes (%v)\n%swant\n%s", err, got, want)
	}
}

// formatDashboard leaves out what is Grafana's own: the dashboard's number in its database and how often it was saved.
func formatDashboard(text []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var dashboard map[string]any
	if err := decoder.Decode(&dashboard); err != nil {
		return nil, fmt.Errorf("reading the dashboard: %w", err)
	}
	for _, own := range []string{"id", "version", "iteration"} {
		delete(dashboard, own)
	}
	return []byte(formatJSON(dashboard, "") + "\n"), nil
}

func formatJSON(value any, indent string) string {
	var parts []string
	brackets := "[]"
	switch v := value.(type) {
	case map[string]any:
		brackets = "{}"
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, formatJSON(key, "")+": "+formatJSON(v[key], indent+"  "))
		}
	case []any:
		for _, one := range v {
			parts = append(parts, formatJSON(one, indent+"  "))
		}
	default:
		var out bytes.Buffer
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(v) // a string, number, bool or nil
		return strings.TrimSuffix(out.String(), "\n")
	}
	if line := strings.Join(parts, ", "); len(indent)+len(line) <= 120 && !strings.Contains(line, "\n") {
		return brackets[:1] + line + brackets[1:]
	}
	return brackets[:1] + "\n" + indent + "  " + strings.Join(parts, ",\n"+indent+"  ") + "\n" + indent + brackets[1:]
}
