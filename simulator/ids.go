package simulator

// idKind separates the id spaces of the vendor's objects.
type idKind uint8

const (
	idOrg idKind = iota + 1
	idChat
	idState
	idConversation
	idMember
	idMessage
	idUser
	idSession
	idContact
	idChannel
	idAssistant
	idIntegration
	idFile
	idBroadcast
	idRecipient
	idEvent
	idConnection
	idConfig
	idVoice
	idChannelUser
)

const idDigits = "0123456789abcdefghijklmnopqrstuv"

// appendID appends the id of the n-th object of a kind: 24 characters that look like nothing in particular. The first 13
// are a bijection of (kind, n), so ids never collide.
func appendID(b []byte, seed uint64, kind idKind, n uint64) []byte {
	x := mix(seed ^ (uint64(kind)<<56 | n))
	y := mix(x ^ 0x5bf0_3635)
	for i := 0; i < 13; i++ {
		b = append(b, idDigits[x&31])
		x >>= 5
	}
	for i := 0; i < 11; i++ {
		b = append(b, idDigits[y&31])
		y >>= 5
	}
	return b
}

func (w *World) id(kind idKind, n uint64) string {
	return string(appendID(make([]byte, 0, 24), w.cfg.Seed, kind, n))
}
