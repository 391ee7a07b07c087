package invent

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// OwnOrg is the shorthand for the org that the key belongs to.
const OwnOrg = "c"

// ResolveOrg returns the real id of an org, which is what rows are stored under.
// Anything but [OwnOrg] is its own real id and costs no request. For OwnOrg the API has
// no call of its own, so the id is read from the first chat of the inbox; ok is
// false, without an error, when the inbox is empty or the chat does not name
// its org. Errors are those of InboxPage, or an answer that is no list.
func (c *Client) ResolveOrg(ctx context.Context, orgID string) (id string, ok bool, err error) {
	if orgID != OwnOrg {
		return orgID, true, nil
	}
	page, err := c.InboxPage(ctx, OwnOrg, 1, 1)
	if err != nil {
		return "", false, fmt.Errorf("finding the id of the key's own org: %w", err)
	}
	if id, err = firstOrgID(page.Body); err != nil {
		return "", false, fmt.Errorf("finding the id of the key's own org: the answer to GET %s (%d bytes) is no list of chats; check --api-url", page.Path, len(page.Body))
	}
	return id, id != "", nil
}

// firstOrgID returns an empty id where there is none. Its error may quote the body.
func firstOrgID(body []byte) (string, error) {
	var chats []struct {
		OrgID jsontext.Value `json:"org_id"`
	}
	err := json.Unmarshal(body, &chats, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return "", err
	}
	var id string
	if len(chats) == 0 || json.Unmarshal(chats[0].OrgID, &id) != nil || id == OwnOrg {
		return "", nil
	}
	return id, nil
}

// maxOrgPages bounds how many pages of sub-orgs are read; an API that ignores the page number would go on for ever.
const maxOrgPages = 1000

// SubOrgs returns the ids of the orgs below the key's own, in the list's order, each once. An entry without a usable id
// is passed over. Errors are those of OrgsPage, or an answer that is no list.
func (c *Client) SubOrgs(ctx context.Context) ([]string, error) {
	var ids []string
	known := map[string]bool{}
	for page := 1; page <= maxOrgPages; page++ {
		got, err := c.OrgsPage(ctx, OwnOrg, page, MaxTake)
		if err != nil {
			return nil, fmt.Errorf("listing the sub-organizations: %w", err)
		}
		var orgs []struct {
			ID jsontext.Value `json:"id"`
		}
		if json.Unmarshal(got.Body, &orgs, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
			return nil, fmt.Errorf("listing the sub-organizations: the answer to GET %s (%d bytes) is no list; check --api-url", got.Path, len(got.Body))
		}
		isNew := false
		for _, org := range orgs {
			var id string
			if json.Unmarshal(org.ID, &id) != nil || id == "" || len(id) > MaxIDBytes || known[id] {
				continue
			}
			known[id], isNew = true, true
			ids = append(ids, id)
		}
		if !isNew {
			break
		}
	}
	return ids, nil
}
