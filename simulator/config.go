package simulator

import "time"

// Config says what world to make. The zero value is a usable world; every default is derived here and nowhere else.
type Config struct {
	// Seed decides everything that is left to chance. Equal configs give byte-identical frames.
	Seed uint64
	// Orgs is the number of organizations; the first is the agency, the others are its sub-organizations. Default 3.
	Orgs int
	// Chats is how many live chats an organization tends to have at a time; over weeks more than these are seen. Default 200.
	Chats int
	// Assistants is the number of AI assistants of an organization. Default 3.
	Assistants int
	// Agents is the number of people in an organization's team. Default 8.
	Agents int
	// Activity scales how often a chat has a conversation; 1, the default, is about one in nine days for the typical chat.
	Activity float64
	// Start and End bound the simulated time. The default Start is a fixed date; a zero End means that the world goes on
	// for as long as it is asked.
	Start, End time.Time
	// Quirks are the open lines of the API. The zero value is the plain reading.
	Quirks Quirks
}

func (c Config) withDefaults() Config {
	if c.Orgs <= 0 {
		c.Orgs = 3
	}
	if c.Chats <= 0 {
		c.Chats = 200
	}
	if c.Assistants <= 0 {
		c.Assistants = 3
	}
	if c.Agents <= 0 {
		c.Agents = 8
	}
	c.Agents = max(c.Agents, 2) // somebody must be there to hand over to
	if c.Activity <= 0 {
		c.Activity = 1
	}
	if c.Start.IsZero() {
		c.Start = time.Date(2025, 1, 6, 0, 0, 0, 0, time.UTC)
	}
	c.Start = c.Start.UTC().Truncate(time.Millisecond)
	return c
}
