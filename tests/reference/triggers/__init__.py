"""Orders that wait for a price: docs/semantics/triggers.md."""
