"""One shard as a gateway sees it: the link that sends envelopes and the rows that come back."""
