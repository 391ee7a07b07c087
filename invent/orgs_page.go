package invent

// Org is one entry of the list of sub-orgs.
type Org struct {
	ID   Field[string]
	Name Field[string]
}

// Orgs decodes one page of the list of sub-orgs. Elements without a usable id are left out, with a flaw.
func (d *Decoder) Orgs(body []byte) ([]Org, Reading) {
	var orgs []Org
	r := d.read(body, func() {
		orgs = page(d, (*Decoder).org, func(o *Org) *Field[string] { return &o.ID })
	})
	return orgs, r
}

func (d *Decoder) org(o *Org) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "id":
			d.id(&o.ID)
		case "name":
			d.text(&o.Name)
		default:
			d.pass()
		}
	}
	d.require(&o.ID)
}
