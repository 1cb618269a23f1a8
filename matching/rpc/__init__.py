"""MatchingService: links that submit, streams of released rows, snapshots, status."""
