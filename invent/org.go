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
