package postgres

import "testing"

func TestARunningServerIsFoundFromOutside(t *testing.T) {
	t.Parallel()
	if url, hasCluster := Running(emptyDir(t, who{})); url != "" || hasCluster {
		t.Errorf("in an empty directory there should be nothing to be found; a url: %t, a cluster: %t", url != "", hasCluster)
	}
	dir := existingCluster(t)
	if url, hasCluster := Running(dir); url != "" || !hasCluster {
		t.Errorf("of a server that is stopped only the cluster should be found; a url: %t, a cluster: %t", url != "", hasCluster)
	}
	s := mustStart(t, dir)
	if url, hasCluster := Running(dir); url != s.URL() || !hasCluster {
		t.Errorf("the url should be the server's own; it is: %t, a cluster: %t", url == s.URL(), hasCluster)
	}
}
