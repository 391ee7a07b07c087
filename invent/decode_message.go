package invent

func (d *Decoder) message(m *Message) {
	begin := d.offset()
	for d.open(); d.next(); {
		switch string(d.name) {
		case "id":
			d.id(&m.ID)
		case "role":
			d.text(&m.Role)
		case "model":
			d.text(&m.Model)
		case "status":
			d.text(&m.Status)
		case "created_at":
			d.time(&m.CreatedAt)
		case "updated_at":
			d.time(&m.UpdatedAt)
		case "messages":
			if d.array(&m.Contents.Presence) {
				begin := d.offset()
				m.Contents.V = list(d, (*Decoder).content)
				m.ContentsJSON = d.since(begin)
			}
		case "tools":
			d.block(&m.Tools, '[', (*Decoder).readTools)
		case "features":
			d.features(&m.Features)
		case "member":
			if d.object(&m.Member.Presence) {
				m.Member.V = new(Member)
				d.member(m.Member.V)
			}
		case "error":
			d.text(&m.Error)
		case "broadcast_id":
			d.text(&m.BroadcastID)
		case "is_broadcast_message":
			d.bool(&m.IsBroadcastMessage)
		case "usage":
			if d.object(&m.Usage.Presence) {
				d.usage(&m.Usage.V)
			}
		default:
			d.pass()
		}
	}
	d.require(&m.ID)
	m.JSON = d.since(begin)
}

func (d *Decoder) content(c *Content) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "role":
			d.text(&c.Role)
		case "parts":
			var p Presence
			if d.array(&p) {
				c.Parts = list(d, (*Decoder).part)
			}
		default:
			d.pass()
		}
	}
}

func (d *Decoder) part(p *Part) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "type":
			d.text(&p.Type)
		case "text":
			d.text(&p.Text)
		case "audio":
			if d.object(&p.Audio.Presence) {
				d.file(&p.Audio.V)
			}
		case "file":
			if d.object(&p.File.Presence) {
				d.file(&p.File.V)
			}
		case "url":
			d.text(&p.URL)
		case "auto_consume":
			d.bool(&p.AutoConsume)
		case "start_timestamp":
			d.float(&p.StartTimestamp)
		case "end_timestamp":
			d.float(&p.EndTimestamp)
		default:
			d.pass()
		}
	}
}

func (d *Decoder) file(f *File) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "id":
			d.id(&f.ID)
		case "file_path":
			d.text(&f.Path)
		case "file_filename":
			d.text(&f.Filename)
		case "file_size":
			d.int(&f.Size)
		case "file_mimetype":
			d.text(&f.Mimetype)
		case "file_url":
			d.text(&f.URL)
		case "created_at":
			d.time(&f.CreatedAt)
		default:
			d.pass()
		}
	}
	d.require(&f.ID)
}

func (d *Decoder) usage(u *Usage) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "input_tokens":
			d.int(&u.InputTokens)
		case "output_tokens":
			d.int(&u.OutputTokens)
		case "total_tokens":
			d.int(&u.TotalTokens)
		case "reasoning_tokens":
			d.int(&u.ReasoningTokens)
		case "input_tokens_cache_read":
			d.int(&u.InputTokensCacheRead)
		case "input_tokens_cache_write":
			d.int(&u.InputTokensCacheWrite)
		case "turns":
			if d.array(&u.Turns.Presence) {
				begin := d.offset()
				u.Turns.V = list(d, (*Decoder).usage)
				u.TurnsJSON = d.since(begin)
			}
		default:
			d.pass()
		}
	}
}
