"""From stored rows to a living engine: snapshot, replay, comparison, takeover."""
