package comment

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// GitLab writes or changes the note of the merge request that the pipeline
// runs for. The token needs the scope api; a job token cannot write notes.
// https://docs.gitlab.com/api/notes/#merge-requests
func (p Poster) GitLab(ctx context.Context, category, body string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	iid := p.Getenv("CI_MERGE_REQUEST_IID")
	if iid == "" {
		return ErrNoRequest
	}
	a, err := p.api(p.Getenv("CI_API_V4_URL"), http.Header{"Private-Token": {p.Token}})
	if err != nil {
		return err
	}
	var user struct {
		ID int64 `json:"id"`
	}
	if err := a.call(ctx, http.MethodGet, "/user", nil, &user); err != nil {
		return err
	}
	notes := "/projects/" + url.PathEscape(p.Getenv("CI_PROJECT_ID")) + "/merge_requests/" + url.PathEscape(iid) + "/notes"
	mark := marker(category)
	id, err := a.find(ctx, notes, mark, func(n note) bool { return n.Author.ID == user.ID })
	if err != nil {
		return err
	}
	text := map[string]string{"body": mark + "\n" + body}
	if id != 0 {
		return a.call(ctx, http.MethodPut, fmt.Sprintf("%s/%d", notes, id), text, nil)
	}
	return a.call(ctx, http.MethodPost, notes, text, nil)
}
