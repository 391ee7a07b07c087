package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"archiver/analytics"
)

type settingsCommand struct {
	Org string `name:"org" placeholder:"ID" help:"The organization, by its id as it is stored (default: the one of the document, or the only one in the archive)."`

	Show  settingsShowCommand  `cmd:"" help:"Print an organization's settings as one JSON document."`
	Check settingsCheckCommand `cmd:"" help:"Say what is wrong with a document, or with the settings in the database."`
	Apply settingsApplyCommand `cmd:"" help:"Replace an organization's settings by those of a document."`
}

// settingsHelp is what the commands have in common.
const settingsHelp = `The document holds the time zone in which days and hours are counted (an IANA name), the thanks window (a customer's message that soon after a close opens no case; 0 is none), business hours (weekday 1 is Monday; opens and closes are local times, 24:00 is midnight; several schedules add up; valid_from and valid_to are the first and last day, null for no last one), holidays, and the prices of a million tokens of a model from a day on.

`

type settingsShowCommand struct{}

// Help is kong's longer description.
func (settingsShowCommand) Help() string {
	return settingsHelp + `What was never set is shown with its default.

Examples:

    archiver settings show
    archiver settings show --org 1jdnr8g4 > settings.json`
}

// Run prints the settings.
func (settingsShowCommand) Run(p *program) error {
	return p.lookInto(func(db *database) error {
		if err := db.checkSchema(p.ctx); err != nil {
			return err
		}
		org, err := p.settingsOrg(db, "")
		if err != nil {
			return err
		}
		s, err := analytics.LoadSettings(p.ctx, db.pool, org)
		if err != nil {
			return explainSettings(db, err)
		}
		return writeJSON(p, s)
	})
}

type settingsCheckCommand struct {
	File string `arg:"" optional:"" placeholder:"FILE" help:"A document; - is standard input. Without one, what is in the database."`
}

// Help is kong's longer description.
func (settingsCheckCommand) Help() string {
	return settingsHelp + `Changes nothing. A document is checked without a database. Exits 2 when something is wrong. What was set by plain SQL, where only single rows are checked, can be looked over so: schedules that overlap, for one.

Examples:

    archiver settings check settings.json
    archiver settings check
    archiver settings check --org 1jdnr8g4`
}

// Run checks the file, or the settings of one org or of all.
func (c settingsCheckCommand) Run(p *program) error {
	if c.File != "" {
		s, err := readSettings(c.File)
		if err != nil {
			return err
		}
		if err := s.Validate(); err != nil {
			return &usageError{err: err}
		}
		fmt.Fprintf(p.stdout, "Nothing is wrong with the settings in %s. Next: archiver settings apply %s\n", c.File, c.File)
		return nil
	}
	return p.lookInto(func(db *database) error {
		if err := db.checkSchema(p.ctx); err != nil {
			return err
		}
		orgs := []string{p.cli.Settings.Org}
		if orgs[0] == "" {
			var err error
			if orgs, err = analytics.OrgsWithSettings(p.ctx, db.pool); err != nil {
				return db.explain(err)
			}
		}
		var wrong []error
		for _, org := range orgs {
			s, err := analytics.LoadSettings(p.ctx, db.pool, org)
			if _, bad := errors.AsType[*analytics.BadSettingsError](err); err != nil && !bad {
				return db.explain(err)
			}
			if err == nil {
				err = s.Validate()
			}
			if err != nil {
				wrong = append(wrong, fmt.Errorf("organization %s: %w", org, err))
			}
		}
		if len(wrong) > 0 {
			return &usageError{err: errors.Join(wrong...)}
		}
		fmt.Fprintf(p.stdout, "Nothing is wrong with the settings of %d organizations in %s.\n", len(orgs), db.name())
		return nil
	})
}

type settingsApplyCommand struct {
	File string `arg:"" placeholder:"FILE" help:"The document; - is standard input."`
}

// Help is kong's longer description.
func (settingsApplyCommand) Help() string {
	return settingsHelp + `All of the organization's settings are replaced: what the document leaves out is at its default afterwards. Begin with what archiver settings show prints. Settings that cannot be meant are refused (exit code 2) and nothing is changed. An ingest that runs brings the facts in schema analytics in line within seconds of the change.

Examples:

    archiver settings show --org 1jdnr8g4 > settings.json    # then edit it
    archiver settings apply settings.json
    echo '{"org_id": "1jdnr8g4", "time_zone": "Europe/Berlin", "business_hours": [{"weekday": 1, "opens": "09:00", "closes": "17:30"}]}' | archiver settings apply -

In plain SQL:

    insert into analytics.settings (org_id, time_zone) values ('1jdnr8g4', 'Europe/Berlin') on conflict (org_id) do update set time_zone = excluded.time_zone;`
}

// Run saves the document.
func (c settingsApplyCommand) Run(p *program) error {
	s, err := readSettings(c.File)
	if err != nil {
		return err
	}
	return p.lookInto(func(db *database) error {
		if err := db.checkSchema(p.ctx); err != nil {
			return err
		}
		if s.OrgID, err = p.settingsOrg(db, s.OrgID); err != nil {
			return err
		}
		if err := analytics.SaveSettings(p.ctx, db.pool, s); err != nil {
			return fmt.Errorf("nothing was changed: %w", explainSettings(db, err))
		}
		fmt.Fprintf(p.stdout, "Saved the settings of organization %s: %s, %d stretches of business hours, %d holidays, %d prices.\n"+
			"The ingest that runs refreshes the facts that depend on them within seconds; without one, the next does.\n",
			s.OrgID, s.ZoneName, len(s.Hours), len(s.Holidays), len(s.Prices))
		return nil
	})
}

// readSettings reads a document.
func readSettings(file string) (*analytics.Settings, error) {
	var text []byte
	var err error
	if file == "-" {
		text, err = io.ReadAll(os.Stdin)
	} else {
		text, err = os.ReadFile(file) //nolint:gosec // the file that was asked for
	}
	if err != nil {
		return nil, usagef("reading the settings: %w", err)
	}
	s, err := analytics.ParseSettings(text)
	if err != nil {
		return nil, &usageError{err: fmt.Errorf("%s: %w", file, err)}
	}
	return s, nil
}

// explainSettings tells settings that cannot be meant from a database that does not work.
func explainSettings(db *database, err error) error {
	if _, bad := errors.AsType[*analytics.BadSettingsError](err); bad {
		return &usageError{err: err}
	}
	return db.explain(err)
}

// settingsOrg is the org that is meant: by the document, by --org, or because there is no other.
func (p *program) settingsOrg(db *database, inDocument string) (string, error) {
	named := strings.TrimSpace(p.cli.Settings.Org)
	switch {
	case named == "c" || named == "all" || strings.Contains(named, ","):
		return "", usagef("--org is %s: name one organization by its id, as in the tables (select org_id from inbox.orgs)", named)
	case named != "" && inDocument != "" && named != inDocument:
		return "", usagef("--org is %s and the document's org_id is %s: name one of them, or change the other", named, inDocument)
	case named != "":
		return named, nil
	case inDocument != "":
		return inDocument, nil
	}
	org, err := analytics.SingleOrg(p.ctx, db.pool)
	if errors.Is(err, analytics.ErrNoSingleOrg) {
		return "", usagef("%w: name one with --org (select org_id from inbox.orgs)", err)
	}
	return org, db.explain(err)
}
