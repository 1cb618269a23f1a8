"""Tests of the rules in docs/semantics.md, run on every engine that is installed."""
