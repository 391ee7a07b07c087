package simulator

import (
	"strconv"
)

// message writes the fields of a Message object, without its braces.
func (r *rendering) message(c *chat, m *message) {
	seed := r.w.cfg.Seed
	var v *assistantVersion
	if m.version >= 0 {
		v = &c.org.assistants[m.assistant].versions[m.version]
	}
	r.id("id", seed, idMessage, uint64(m.n))
	r.str("role", messageRoles[m.role])
	r.str("status", runStatuses[m.status])
	if v != nil {
		r.str("model", v.model)
	} else {
		r.unset("model")
	}
	r.time("created_at", m.created)
	r.time("updated_at", m.updated)
	r.list("messages")
	r.content(m)
	r.endList()
	if v != nil && m.attach == attachNothing && m.seed%4 == 0 {
		r.block("tools", &v.toolset)
		r.block("features", &v.features)
	} else {
		r.unset("tools")
		r.unset("features")
	}
	if m.member != noMember {
		r.open("member")
		r.member(&c.members[m.member])
		r.end()
	} else {
		r.unset("member")
	}
	if m.status == statusFailed {
		r.str("error", failures[m.seed%uint32(len(failures))])
	} else {
		r.unset("error")
	}
	if m.broadcast != 0 {
		r.id("broadcast_id", seed, idBroadcast, uint64(m.broadcast))
		r.bool("is_broadcast_message", true)
	} else {
		r.unset("broadcast_id")
		r.bool("is_broadcast_message", false)
	}
	if v != nil && m.role == roleAssistant && m.status == statusCompleted && m.broadcast == 0 && m.says == sayAnswer {
		r.open("usage")
		r.usage(m.seed)
		r.end()
	} else {
		r.unset("usage")
	}
}

var failures = []string{"provider overloaded", "tool \"find_order\" timed out after 30s", "content filtered", "(#131047) re-engagement window closed"}

// content writes the entries of a message's messages array.
func (r *rendering) content(m *message) {
	role := messageRoles[m.role]
	if m.role == roleEvent || m.role == roleNote {
		role = "system"
	}
	d := dice(uint64(m.seed) + 7)
	if m.toolCalls {
		r.item()
		r.str("role", "assistant")
		r.list("parts")
		r.item()
		r.str("type", "tool_call")
		r.open("tool_call")
		r.str("id", "call_"+strconv.FormatUint(d.next()>>30, 36))
		r.str("name", "find_order")
		r.raw("arguments", []byte(`{"number":"`+strconv.Itoa(10000+d.below(90000))+`"}`))
		r.end()
		r.end()
		r.endList()
		r.end()
		r.item()
		r.str("role", "tool")
		r.list("parts")
		r.item()
		r.str("type", "tool_result")
		r.open("tool_result")
		r.str("name", "find_order")
		r.raw("result", []byte(`{"status":"in_transit","total":59.90,"lines":[{"sku":"B-7","qty":1}]}`))
		r.end()
		r.end()
		r.endList()
		r.end()
	}
	r.item()
	r.str("role", role)
	r.list("parts")
	if m.role == roleTool {
		r.item()
		r.str("type", "tool_result")
		r.open("tool_result")
		r.str("name", "track_parcel")
		r.raw("result", []byte(`{"events":[{"at":"depot","code":17},{"at":"van","code":23}]}`))
		r.end()
		r.end()
	}
	if m.says != sayNothing {
		r.buf = m.text(r.buf[:0])
		text := string(r.buf)
		if m.share > 0 {
			text = prefix(text, float64(m.share)/100)
		}
		r.item()
		r.str("type", "text")
		r.str("text", text)
		r.end()
	}
	r.attachments(m, &d)
	r.endList()
	r.end()
}

func (r *rendering) attachments(m *message, d *dice) {
	switch m.attach {
	case attachImage:
		r.filePart("image", d.next(), attachImage, m.created)
	case attachPDF:
		r.filePart("file", d.next(), attachPDF, m.created)
	case attachSeveral:
		r.filePart("image", d.next(), attachImage, m.created)
		r.filePart("file", d.next(), attachPDF, m.created)
		r.filePart("image", d.next(), attachImage, m.created)
	case attachAudio:
		r.item()
		r.str("type", "audio")
		r.open("audio")
		r.file(d.next(), attachAudio, m.created)
		r.end()
		r.float("start_timestamp", 0)
		r.float("end_timestamp", float64(800+d.below(60000))/1000)
		r.end()
	case attachUnknown:
		r.item()
		r.str("type", "location")
		r.open("location")
		r.float("latitude", float64(d.below(180000)-90000)/1000)
		r.float("longitude", float64(d.below(360000)-180000)/1000)
		r.end()
		r.end()
	}
}

func (r *rendering) filePart(typ string, n uint64, kind attachment, created int64) {
	r.item()
	r.str("type", typ)
	r.open("file")
	r.file(n, kind, created)
	r.end()
	r.end()
}

var fileKinds = [...]struct{ extension, mimetype string }{
	attachImage: {"jpg", "image/jpeg"},
	attachPDF:   {"pdf", "application/pdf"},
	attachAudio: {"ogg", "audio/ogg"},
}

// file writes the fields of a file; the n decides everything.
func (r *rendering) file(n uint64, kind attachment, created int64) {
	k := &fileKinds[kind]
	d := dice(n)
	name := [...]string{"IMG_", "invoice ", "скан-", "étiquette_", "写真", "voice\"note\"-"}[d.below(6)] + strconv.Itoa(d.below(10000)) + "." + k.extension
	r.id("id", r.w.cfg.Seed, idFile, n>>8)
	path := "uploads/" + strconv.FormatUint(n>>20, 36) + "." + k.extension
	r.str("file_path", path)
	r.str("file_filename", name)
	r.int("file_size", int64(1024+d.below(4_000_000)))
	r.str("file_mimetype", k.mimetype)
	r.str("file_url", "https://files.example.com/"+path+"?signature="+strconv.FormatUint(d.next(), 36))
	r.time("created_at", created)
}

// usage writes what an answer cost. The turns are parts of the whole, but the totals also count what no turn shows (or a
// turn more than was billed), as real ones do.
func (r *rendering) usage(n uint32) {
	d := dice(uint64(n) + 99)
	var sum [5]int64
	type turn [5]int64 // input, output, reasoning, cache read, cache write
	var turns [3]turn
	count := 1 + d.below(3)
	for i := range turns[:count] {
		t := &turns[i]
		t[0] = int64(700 + d.below(5000))
		t[1] = int64(20 + d.below(400))
		t[2] = int64(d.below(3)) * int64(d.below(300))
		t[3] = t[0] * int64(d.below(8)) / 10
		t[4] = int64(d.below(2)) * int64(d.below(900))
		for j := range sum {
			sum[j] += t[j]
		}
	}
	if d.chance(0.3) {
		sum[0] += int64(d.below(400)) - 100
	}
	r.tokens(sum)
	r.list("turns")
	for _, t := range turns[:count] {
		r.item()
		r.tokens(t)
		r.end()
	}
	r.endList()
}

func (r *rendering) tokens(t [5]int64) {
	r.int("input_tokens", t[0])
	r.int("output_tokens", t[1])
	r.int("total_tokens", t[0]+t[1])
	r.int("reasoning_tokens", t[2])
	r.int("input_tokens_cache_read", t[3])
	r.int("input_tokens_cache_write", t[4])
}
