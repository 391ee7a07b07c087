package ingest

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"time"

	"archiver/db"
)

// packed is a chat as it is remembered between batches: its rows one after the other, a third of the memory that they take as values, and
// without pointers, each of which is looked at whenever garbage is collected.
//
// In rows numbers are varints, times are µs since 1970, texts have their length before them, and a column that may be NULL has a byte before it
// that says whether it is. At the end are two numbers: how many texts and how many times columns point to.
type packed string

// packer packs one chat after the other.
type packer struct {
	b              []byte
	strings, times int // how many of them columns point to: they are unpacked into one piece of memory each
}

// keptPacked bounds the memory that is kept to pack the next chat.
const keptPacked = 1 << 20

// What a chat has, in its first byte.
const (
	packedWhole = 1 << iota
	packedLong
	packedState
	packedRunning
)

// pack packs what of a chat is not of one batch only.
func (p *packer) pack(c *chat) packed {
	p.b, p.strings, p.times = p.b[:0], 0, 0
	flags := byte(0)
	if c.isWhole {
		flags |= packedWhole
	}
	if c.isLong {
		flags |= packedLong
	}
	if c.state != nil {
		flags |= packedState
	}
	p.b = append(p.b, flags)
	p.b = binary.LittleEndian.AppendUint64(p.b, c.heard)
	p.b = binary.AppendUvarint(p.b, uint64(len(c.stored)))
	for _, hash := range c.stored {
		p.b = binary.LittleEndian.AppendUint32(p.b, hash)
	}
	p.b = binary.AppendUvarint(p.b, uint64(len(c.members)))
	p.row(&c.row)
	if c.state != nil {
		p.row(c.state)
	}
	for _, m := range c.members {
		p.row(m)
	}
	if m := c.running(); m != nil {
		p.b[0] |= packedRunning
		p.row(&m.row)
	}
	p.b = binary.LittleEndian.AppendUint32(p.b, uint32(p.strings))
	p.b = binary.LittleEndian.AppendUint32(p.b, uint32(p.times))
	s := packed(p.b)
	if cap(p.b) > keptPacked {
		p.b = nil
	}
	return s
}

// row packs a row but for its first two columns, the org and the chat.
func (p *packer) row(row any) {
	v := reflect.ValueOf(row).Elem()
	for i := 2; i < v.NumField(); i++ {
		switch f := v.Field(i).Addr().Interface().(type) {
		case *string:
			p.b = appendText(p.b, *f)
		case **string:
			if p.flag(*f != nil) {
				p.strings++
				p.b = appendText(p.b, **f)
			}
		case *[]byte:
			if p.flag(*f != nil) {
				p.b = appendText(p.b, *f)
			}
		case *bool:
			p.flag(*f)
		case **bool:
			if p.flag(*f != nil) {
				p.flag(**f)
			}
		case *int64:
			p.b = binary.AppendVarint(p.b, *f)
		case **int64:
			if p.flag(*f != nil) {
				p.b = binary.AppendVarint(p.b, **f)
			}
		case **int32:
			if p.flag(*f != nil) {
				p.b = binary.AppendVarint(p.b, int64(**f))
			}
		case *time.Time:
			p.b = binary.AppendVarint(p.b, f.UnixMicro())
		case **time.Time:
			if p.flag(*f != nil) {
				p.times++
				p.b = binary.AppendVarint(p.b, (*f).UnixMicro())
			}
		default:
			panic(fmt.Sprintf("a row has a column of %T, which cannot be packed", f))
		}
	}
}

func (p *packer) flag(is bool) bool {
	p.b = append(p.b, byte(btoi(is)))
	return is
}

func appendText[T string | []byte](b []byte, text T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// unpack is the chat again, for a batch to change it. Its texts are parts of what is packed.
func (s packed) unpack(key chatKey) *chat {
	counts, u := s[len(s)-8:], unpacker{rest: string(s[:len(s)-8])}
	u.strings = make([]string, binary.LittleEndian.Uint32([]byte(counts)))
	u.times = make([]time.Time, binary.LittleEndian.Uint32([]byte(counts[4:])))
	flags := u.byte()
	c := &chat{key: key, isWhole: flags&packedWhole != 0, isLong: flags&packedLong != 0}
	c.heard = binary.LittleEndian.Uint64([]byte(u.take(8)))
	if n := int(u.uvarint()); n > 0 {
		c.stored = make([]uint32, n, n+1)
		for i := range c.stored {
			c.stored[i] = binary.LittleEndian.Uint32([]byte(u.take(4)))
		}
	}
	members := make([]db.InboxMember, u.uvarint())
	c.members = make(map[string]*db.InboxMember, len(members))
	u.row(&c.row, key)
	if flags&packedState != 0 {
		c.state = &db.InboxChatState{}
		u.row(c.state, key)
	}
	for i := range members {
		u.row(&members[i], key)
		c.members[members[i].MemberID] = &members[i]
	}
	if flags&packedRunning != 0 {
		m := &storedMessage{}
		u.row(&m.row, key)
		c.setMessage(m)
	}
	return c
}

// unpacker takes one value after the other from what is left of a chat that was packed.
type unpacker struct {
	rest    string
	strings []string
	times   []time.Time
}

func (u *unpacker) row(row any, key chatKey) {
	v := reflect.ValueOf(row).Elem()
	*v.Field(0).Addr().Interface().(*string), *v.Field(1).Addr().Interface().(*string) = key.orgID, key.chatID
	for i := 2; i < v.NumField(); i++ {
		switch f := v.Field(i).Addr().Interface().(type) {
		case *string:
			*f = u.text()
		case **string:
			if u.flag() {
				u.strings[0] = u.text()
				*f, u.strings = &u.strings[0], u.strings[1:]
			}
		case *[]byte:
			if u.flag() {
				*f = []byte(u.text())
			}
		case *bool:
			*f = u.flag()
		case **bool:
			if u.flag() {
				*f = &bothBools[btoi(u.flag())]
			}
		case *int64:
			*f = u.varint()
		case **int64:
			if u.flag() {
				*f = kept(new(u.varint()))
			}
		case **int32:
			if u.flag() {
				*f = new(int32(u.varint()))
			}
		case *time.Time:
			*f = time.UnixMicro(u.varint()).UTC()
		case **time.Time:
			if u.flag() {
				u.times[0] = time.UnixMicro(u.varint()).UTC()
				*f, u.times = &u.times[0], u.times[1:]
			}
		}
	}
}

func (u *unpacker) take(n int) (taken string) {
	taken, u.rest = u.rest[:n], u.rest[n:]
	return taken
}

func (u *unpacker) byte() byte { return u.take(1)[0] }

func (u *unpacker) flag() bool { return u.byte() != 0 }

func (u *unpacker) text() string { return u.take(int(u.uvarint())) }

func (u *unpacker) uvarint() uint64 {
	n, length := binary.Uvarint(u.varintBytes())
	u.take(length)
	return n
}

func (u *unpacker) varint() int64 {
	n, length := binary.Varint(u.varintBytes())
	u.take(length)
	return n
}

// varintBytes are those that the next number is in.
func (u *unpacker) varintBytes() []byte {
	return []byte(u.rest[:min(len(u.rest), binary.MaxVarintLen64)])
}
