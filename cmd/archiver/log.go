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
