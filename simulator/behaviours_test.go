package simulator

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// The parts of a frame that tell what happened in a conversation.
type (
	seenFrame struct {
		Type string   `json:"type"`
		Data seenChat `json:"data"`
	}
	seenChat struct {
		ID        string       `json:"id"`
		OrgID     string       `json:"org_id"`
		Model     string       `json:"model"`
		Status    string       `json:"status"`
		Pinned    bool         `json:"pinned"`
		Members   []seenMember `json:"members"`
		CreatedAt time.Time    `json:"created_at"`
		UpdatedAt time.Time    `json:"updated_at"`
		State     seenState    `json:"state"`
		Last      *seenMessage `json:"last_message"`
		Referral  *struct {
			AdID string `json:"ad_id"`
		} `json:"referral"`
	}
	seenState struct {
		State     string `json:"state"`
		AI        bool   `json:"ai_enabled"`
		Admin     int    `json:"admin_unseen_count"`
		User      int    `json:"user_unseen_count"`
		Assistant struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"assistant"`
		Integration struct {
			ID        string `json:"id"`
			Connected bool   `json:"has_connection"`
		} `json:"assistant_integration"`
		Assigned *struct {
			ID     string `json:"id"`
			SeenAt string `json:"seen_at"`
		} `json:"assigned_user"`
		AssignedAt   *time.Time `json:"assigned_at"`
		Conversation string     `json:"conversation_id"`
		Config       struct {
			Instructions string `json:"instructions"`
		} `json:"assistant_config"`
		FollowUp    *time.Time `json:"follow_up_at"`
		Muted       *time.Time `json:"muted_until"`
		CSAT        int        `json:"csat_score"`
		LastContact *time.Time `json:"last_contact_message_at"`
	}
	seenMember struct {
		ID   string `json:"id"`
		User *struct {
			ID     string `json:"id"`
			Name   string `json:"name"`
			Avatar string `json:"avatar"`
		} `json:"user"`
		Session *struct{} `json:"session"`
		Channel *struct {
			ID       string `json:"id"`
			Avatar   string `json:"avatar"`
			Language string `json:"language"`
			Contact  struct {
				ID      string `json:"id"`
				Name    string `json:"name"`
				Blocked bool   `json:"blocked"`
			} `json:"contact"`
		} `json:"contact_channel"`
	}
	seenMessage struct {
		ID        string      `json:"id"`
		Role      string      `json:"role"`
		Status    string      `json:"status"`
		CreatedAt time.Time   `json:"created_at"`
		UpdatedAt time.Time   `json:"updated_at"`
		Member    *seenMember `json:"member"`
		Error     string      `json:"error"`
		Broadcast string      `json:"broadcast_id"`
		Usage     *struct {
			Total int `json:"total_tokens"`
			Turns []struct {
				Total int `json:"total_tokens"`
			} `json:"turns"`
		} `json:"usage"`
		Messages []struct {
			Parts []struct {
				Type string `json:"type"`
				Text string `json:"text"`
			} `json:"parts"`
		} `json:"messages"`
	}
)

func (m *seenMessage) text() (text string) {
	for _, entry := range m.Messages {
		for _, part := range entry.Parts {
			text += part.Text
		}
	}
	return text
}

// sender is who wrote a message, by the reading the vendor's schema suggests.
func (m *seenMessage) sender() string {
	switch {
	case m == nil:
		return ""
	case m.Broadcast != "":
		return "broadcast"
	case m.Role != "user" && m.Role != "assistant":
		return m.Role
	case m.Member != nil && m.Member.User != nil:
		return "human"
	case m.Role == "user":
		return "customer"
	}
	return "ai"
}

// watcher follows the frames and notes what it saw happen.
type watcher struct {
	t     *testing.T
	saw   map[string]int
	chats map[string]*history

	agentChats   map[string]map[string]bool // by agent
	contactChats map[string]map[string]bool
	names        map[string]string // of contacts, agents and assistants, by id
	avatars      map[string]string
	connected    map[string]bool
	instructions map[string]string
	models       map[string]string
}

// history is what is remembered of a chat.
type history struct {
	seenChat
	closedAt      time.Time
	burst         int
	broadcast     bool // and no answer yet
	scored        int  // in the current closed stretch
	reopenedRated bool
	kinds         map[string]bool
}

func (w *watcher) note(what string, happened bool) {
	if happened {
		w.saw[what]++
	}
}

func (w *watcher) frame(f seenFrame) {
	now := &f.Data
	before := w.chats[now.ID]
	if before == nil {
		before = &history{kinds: map[string]bool{}}
		w.chats[now.ID] = before
		w.note("a chat begins with the assistant's welcome", now.Last.sender() == "ai" && now.Last.Usage == nil)
		w.note("a chat begins with a message of the business", now.Last.sender() == "human" && !now.Last.CreatedAt.Before(now.CreatedAt))
		w.note("a chat begins with imported history", now.Last.CreatedAt.Before(now.CreatedAt))
		if f.Type != "create" {
			w.t.Fatalf("expected the first frame of a chat to be a create, got %q", f.Type)
		}
	} else {
		w.changes(before, now)
		w.message(before, now)
	}
	w.people(before, now)
	before.seenChat = *now
}

// changes notes what the state shows.
func (w *watcher) changes(h *history, now *seenChat) {
	was, is := &h.State, &now.State
	w.note("handoff, unassigned", was.AI && !is.AI && is.Assigned == nil)
	w.note("handoff by assignment", was.AI && !is.AI && is.Assigned != nil)
	w.note("assigned", was.Assigned == nil && is.Assigned != nil)
	w.note("reassigned", was.Assigned != nil && is.Assigned != nil && was.Assigned.ID != is.Assigned.ID)
	w.note("unassigned", was.Assigned != nil && is.Assigned == nil && is.State == "OPEN")
	w.note("handed back to the AI", !was.AI && is.AI && was.State == "OPEN" && is.State == "OPEN")
	w.note("snoozed", was.State == "OPEN" && is.State == "SNOOZED")
	w.note("woken", was.State == "SNOOZED" && is.State == "OPEN")
	w.note("muted", was.Muted == nil && is.Muted != nil)
	w.note("follow-up planned", was.FollowUp == nil && is.FollowUp != nil)
	w.note("pinned", h.Pinned != now.Pinned)
	w.note("another assistant", was.Assistant.ID != is.Assistant.ID)
	w.note("another conversation", was.Conversation != is.Conversation)
	w.note("a chat fails", now.Status == "FAILED")
	if was.State != "CLOSED" && is.State == "CLOSED" {
		w.saw["closed"]++
		if h.reopenedRated && is.CSAT != 0 {
			w.saw["closed with an old score"]++
		}
		h.closedAt, h.scored = now.UpdatedAt, 0
	}
	if was.State == "CLOSED" && is.State == "OPEN" {
		w.saw["reopened"]++
		w.note("closed without a score", was.CSAT == 0)
		w.note("thanks after a close", now.Last.sender() == "customer" && now.UpdatedAt.Sub(h.closedAt) < 20*time.Minute)
		h.reopenedRated = was.CSAT != 0
	}
	if was.CSAT != is.CSAT {
		w.saw["rated"]++
		h.scored++
		w.note("rated days after the close", now.UpdatedAt.Sub(h.closedAt) > 24*time.Hour)
		w.note("the score changed", was.CSAT != 0 && h.scored > 1)
		if is.CSAT < 1 || is.CSAT > 5 {
			w.t.Fatalf("expected a score from 1 to 5, got %d", is.CSAT)
		}
	}
	if is.Admin > was.Admin+1 || is.User > was.User+1 {
		w.t.Fatalf("expected unseen counts to grow by one message at a time, got %d→%d and %d→%d", was.Admin, is.Admin, was.User, is.User)
	}
	w.note("unseen by the team", is.Admin > 1)
	w.note("unseen by the customer", is.User > 1)
	w.note("read by the team", was.Admin > 0 && is.Admin == 0)
	if !now.UpdatedAt.After(h.UpdatedAt) {
		w.t.Fatalf("expected updated_at to grow, got %s after %s", now.UpdatedAt, h.UpdatedAt)
	}
}

// message notes what the last message shows.
func (w *watcher) message(h *history, now *seenChat) {
	was, is := h.Last, now.Last
	if was == nil || is == nil {
		return
	}
	sender := is.sender()
	if is.Usage != nil && len(is.Usage.Turns) > 0 {
		sum := 0
		for _, turn := range is.Usage.Turns {
			sum += turn.Total
		}
		w.note("turns that do not sum up", sum != is.Usage.Total)
	}
	if was.ID == is.ID {
		w.note("an answer grows", is.Status == "RUNNING" && len(is.text()) > len(was.text()))
		w.note("an answer is completed", was.Status == "RUNNING" && is.Status == "COMPLETED" && is.Usage != nil)
		w.note("an answer fails", was.Status == "RUNNING" && is.Status == "FAILED" && is.Error != "")
		w.note("an answer is canceled", was.Status == "RUNNING" && is.Status == "CANCELED")
		w.note("a message is edited", was.Status == "COMPLETED" && is.Status == "COMPLETED" && was.text() != is.text() && is.UpdatedAt.After(was.UpdatedAt))
		return
	}
	if is.CreatedAt.Before(was.CreatedAt) {
		w.saw["a message is deleted"]++
		return
	}
	w.note("message of "+is.Role, true)
	w.note("message of "+sender, true)
	w.note("an agent writes as user", sender == "human" && is.Role == "user")
	w.note("an agent writes as assistant", sender == "human" && is.Role == "assistant")
	w.note("an agent answers before being assigned", sender == "human" && now.State.Assigned == nil)
	w.note("a follow-up is sent", sender == "ai" && h.State.FollowUp != nil && now.State.FollowUp == nil && is.Usage == nil)
	w.note("a broadcast fails", sender == "broadcast" && is.Status == "FAILED")
	w.note("a broadcast is answered", sender == "customer" && h.broadcast)
	h.broadcast = sender == "broadcast" || h.broadcast && sender != "customer"
	if sender != "customer" {
		h.burst = 0
	} else if h.burst++; h.burst == 4 {
		w.saw["a burst of four messages"]++
	}
	if sender == "customer" && (now.State.LastContact == nil || !now.State.LastContact.Equal(is.CreatedAt)) {
		w.t.Fatalf("expected last_contact_message_at to be the customer's message's time %s, got %v", is.CreatedAt, now.State.LastContact)
	}
	for _, entry := range is.Messages {
		for _, part := range entry.Parts {
			w.note("part "+part.Type, true)
		}
	}
	w.texts(is.text())
}

func (w *watcher) texts(text string) {
	w.note("text with quotes", strings.Contains(text, `"`))
	w.note("text with a backslash", strings.Contains(text, `\`))
	w.note("text with markup", strings.Contains(text, "<script>"))
	w.note("text with emoji", strings.Contains(text, "🙏"))
	w.note("text from right to left", strings.Contains(text, "مرحبا") || strings.Contains(text, "היי"))
	w.note("text of 50 KB", len(text) > 50_000)
}

// people notes what the members and the nested descriptions show.
func (w *watcher) people(h *history, now *seenChat) {
	w.note("referral", now.Referral != nil && now.Referral.AdID != "")
	contacts := 0
	for _, m := range now.Members {
		if c := m.Channel; c != nil {
			contacts++
			w.note("a contact of several chats", w.remember(w.contactChats, c.Contact.ID, now.ID) > 1)
			w.note("a contact is blocked", c.Contact.Blocked)
			w.note("a contact is unblocked", !c.Contact.Blocked && h.kinds["blocked"])
			h.kinds["blocked"] = c.Contact.Blocked
			w.differs("a contact's name changes", w.names, c.Contact.ID, c.Contact.Name)
			w.differs("a contact's picture changes", w.avatars, c.Contact.ID, c.Avatar)
			w.note("a visitor becomes a contact", m.Session != nil && h.kinds["visitor "+m.ID])
		} else if m.Session != nil {
			w.saw["a web visitor"]++
			h.kinds["visitor "+m.ID] = true
		}
		if m.User != nil {
			w.note("an agent of several chats", w.remember(w.agentChats, m.User.ID, now.ID) > 1)
			w.differs("an agent's name changes", w.names, m.User.ID, m.User.Name)
			w.differs("an agent's picture changes", w.avatars, m.User.ID, m.User.Avatar)
		}
	}
	w.note("several contacts", contacts > 1)
	w.note("a member leaves", len(now.Members) < len(h.Members))
	s := &now.State
	w.differs("an assistant is renamed", w.names, s.Assistant.ID, s.Assistant.Name)
	w.differs("an assistant gets other instructions", w.instructions, s.Assistant.ID, s.Config.Instructions)
	w.differs("an assistant gets another model", w.models, s.Assistant.ID, now.Model)
	if old, known := w.connected[s.Integration.ID]; known && old != s.Integration.Connected {
		w.saw["an integration loses or finds its connection"]++
	}
	w.connected[s.Integration.ID] = s.Integration.Connected
}

// remember notes that somebody is in a chat and gives the number of chats they were seen in.
func (w *watcher) remember(of map[string]map[string]bool, id, chatID string) int {
	if of[id] == nil {
		of[id] = map[string]bool{}
	}
	of[id][chatID] = true
	return len(of[id])
}

func (w *watcher) differs(what string, known map[string]string, id, value string) {
	old, ok := known[id]
	w.note(what, ok && old != value)
	known[id] = value
}

// behaviours are all that a world must show, in the words of the watcher.
var behaviours = []string{
	"a chat begins with the assistant's welcome", "a chat begins with a message of the business", "a chat begins with imported history",
	"handoff, unassigned", "handoff by assignment", "assigned", "reassigned", "unassigned", "handed back to the AI",
	"snoozed", "woken", "muted", "pinned", "follow-up planned", "a follow-up is sent", "another assistant", "another conversation", "a chat fails",
	"closed", "closed without a score", "closed with an old score", "reopened", "thanks after a close",
	"rated", "rated days after the close", "the score changed", "unseen by the team", "unseen by the customer", "read by the team",
	"an answer grows", "an answer is completed", "an answer fails", "an answer is canceled", "turns that do not sum up",
	"a message is edited", "a message is deleted", "a burst of four messages",
	"message of customer", "message of ai", "message of human", "message of broadcast", "message of system", "message of tool",
	"message of event", "message of note", "an agent writes as user", "an agent writes as assistant", "an agent answers before being assigned",
	"a broadcast fails", "a broadcast is answered", "part text", "part image", "part file", "part audio", "part tool_result",
	"text with quotes", "text with a backslash", "text with markup", "text with emoji", "text from right to left", "text of 50 KB",
	"referral", "a contact is blocked", "a contact is unblocked", "a contact's name changes", "a contact's picture changes",
	"a web visitor", "a visitor becomes a contact", "several contacts", "a member leaves", "an agent of several chats", "a contact of several chats",
	"an agent's name changes", "an agent's picture changes", "an agent is deleted",
	"an assistant is renamed", "an assistant gets other instructions", "an assistant gets another model", "an integration loses or finds its connection",
}

func (w *watcher) missing() (missing []string) {
	for _, b := range behaviours {
		if w.saw[b] == 0 {
			missing = append(missing, b)
		}
	}
	return missing
}

func TestEveryBehaviourOccurs(t *testing.T) {
	t.Parallel()
	world := NewWorld(Config{Seed: 54, Orgs: 10, Chats: 5})
	w := &watcher{
		t: t, saw: map[string]int{}, chats: map[string]*history{},
		agentChats: map[string]map[string]bool{}, contactChats: map[string]map[string]bool{},
		names: map[string]string{}, avatars: map[string]string{}, connected: map[string]bool{},
		instructions: map[string]string{}, models: map[string]string{},
	}
	const most = 25_000
	for range most / 1000 {
		for _, f := range take(world, 1000) {
			var frame seenFrame
			if err := json.Unmarshal(f.Bytes, &frame); err != nil {
				t.Fatalf("expected a frame to decode, got %v", err)
			}
			if frame.Data.ID != f.ChatID || frame.Data.OrgID != f.OrgID {
				t.Fatalf("expected the frame to be about chat %s of %s, got %s of %s", f.ChatID, f.OrgID, frame.Data.ID, frame.Data.OrgID)
			}
			w.frame(frame)
		}
		for _, o := range world.orgs {
			for _, a := range o.agents {
				w.note("an agent is deleted", a.deleted)
			}
		}
		if len(w.missing()) == 0 {
			return
		}
	}
	t.Fatalf("expected to see all of it in %d frames, never saw:\n%s", most, strings.Join(w.missing(), "\n"))
}

func TestAFewChatsAreVeryBusyAndMostAreNot(t *testing.T) {
	t.Parallel()
	perChat := map[string]int{}
	frames := take(NewWorld(Config{Seed: 53, Chats: 40}), 5000)
	for _, f := range frames {
		perChat[f.ChatID]++
	}
	counts := slices.Sorted(maps.Values(perChat))
	top := 0
	for _, n := range counts[len(counts)*9/10:] {
		top += n
	}
	if share := top * 100 / len(frames); share < 25 || share > 80 {
		t.Errorf("expected the busiest tenth of the chats to have a large share of the events, got %d %%", share)
	}
}
