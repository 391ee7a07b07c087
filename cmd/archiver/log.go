package main

import (
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"
)

// logHandler writes to w as --log-format says.
func (p *program) logHandler(w io.Writer, level slog.Level) slog.Handler {
	options := &slog.HandlerOptions{Level: level}
	if p.cli.LogFormat == "json" || p.cli.LogFormat == "auto" && !isTerminal(p.stderr) {
		options.ReplaceAttr = readableDurations
		return slog.NewJSONHandler(w, options)
	}
	return slog.NewTextHandler(w, options)
}

func (p *program) level() slog.Level {
	return map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}[p.cli.LogLevel]
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// readableDurations writes durations in JSON as in text, 1.5s, and not as nanoseconds.
func readableDurations(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}
