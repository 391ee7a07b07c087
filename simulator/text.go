package simulator

import (
	"strconv"
	"strings"
)

// textKind says what a message says; with a language and a seed it gives the text.
type textKind uint8

const (
	sayNothing textKind = iota
	sayAsk
	sayMore
	sayThanks
	sayAnswer
	sayHuman
	sayWelcome
	sayFollowUp
	sayRate
	sayPromotion
	sayNote
	saySystem
	sayTool
	sayHandoff
	sayAssigned
	sayUnassigned
	sayBackToAI
	saySnoozed
	sayClosed
	sayReopened
	sayLeft
	sayJoined
	sayImported
	sayPasted // a very long text
)

var notes = []string{
	"Customer is a regular, be generous.", "Waiting for the warehouse to call back.", "Refund approved by finance (ticket #).",
	"Does anyone know about \"#\"?", "⚠️ second complaint this month",
}

// text makes a message's text, unescaped, in a reused buffer.
func (m *message) text(b []byte) []byte {
	l := &languages[m.lang]
	d := dice(uint64(m.seed) ^ uint64(m.says)<<40)
	switch m.says {
	case sayAsk:
		b = appendNumbered(b, pick(&d, l.asks), &d)
		if d.chance(0.25) {
			b = append(b, ' ')
			b = appendNumbered(b, pick(&d, l.more), &d)
		}
		if d.chance(0.04) {
			b = append(b, ' ')
			b = append(b, pick(&d, oddities)...)
		}
	case sayMore:
		if d.chance(0.06) {
			return append(b, pick(&d, oddities)...)
		}
		b = appendNumbered(b, pick(&d, l.more), &d)
	case sayThanks:
		b = append(b, pick(&d, l.thanks)...)
	case sayAnswer:
		for i, n := 0, 1+d.below(3); i < n; i++ {
			if i > 0 {
				b = append(b, "\n\n"...)
			}
			b = appendNumbered(b, pick(&d, l.answers), &d)
		}
		if d.chance(0.1) {
			b = append(b, "\n- **https://shop.example.com/orders/"...)
			b = strconv.AppendUint(b, d.next()%100000, 10)
			b = append(b, "**\n- `\"tracking\"`"...)
		}
	case sayHuman:
		b = appendNumbered(b, pick(&d, l.human), &d)
	case sayWelcome:
		b = append(b, l.welcome...)
	case sayFollowUp:
		b = append(b, l.followUp...)
	case sayRate:
		b = append(b, l.rate...)
	case sayPromotion:
		b = append(b, l.promotion...)
	case sayNote:
		b = appendNumbered(b, pick(&d, notes), &d)
	case saySystem:
		b = append(b, "The conversation was summarized to keep it short."...)
	case sayTool:
		b = append(b, "Order status: in transit"...)
	case sayHandoff:
		b = append(b, "Conversation transferred to a human"...)
	case sayAssigned:
		b = append(b, "Conversation assigned"...)
	case sayUnassigned:
		b = append(b, "Conversation unassigned"...)
	case sayBackToAI:
		b = append(b, "Conversation handed back to the assistant"...)
	case saySnoozed:
		b = append(b, "Conversation snoozed"...)
	case sayClosed:
		b = append(b, "Conversation resolved"...)
	case sayReopened:
		b = append(b, "Conversation reopened"...)
	case sayLeft:
		b = append(b, "A member left"...)
	case sayJoined:
		b = append(b, "A member joined"...)
	case sayImported:
		b = appendNumbered(b, pick(&d, l.more), &d)
	case sayPasted:
		size := 60_000 + d.below(80_000)
		for len(b) < size {
			b = appendNumbered(b, pick(&d, l.asks), &d)
			b = append(b, '\n', '>', ' ')
			b = appendNumbered(b, pick(&d, l.more), &d)
			b = append(b, '\n')
		}
	}
	return b
}

// appendNumbered appends s with every '#' replaced by "#" and an order number.
func appendNumbered(b []byte, s string, d *dice) []byte {
	for {
		i := strings.IndexByte(s, '#')
		if i < 0 {
			return append(b, s...)
		}
		b = append(b, s[:i+1]...)
		b = strconv.AppendUint(b, 10000+d.next()%90000, 10)
		s = s[i+1:]
	}
}

// personName gives the n-th name of a language.
func personName(lang uint8, seed uint64) string {
	l := &languages[lang]
	d := dice(seed)
	first, last := pick(&d, l.first), pick(&d, l.last)
	switch l.tag {
	case "zh-TW", "ja", "ko":
		return last + first
	}
	return first + " " + last
}
