"""Tests of the feed, plain and of the kernel."""
