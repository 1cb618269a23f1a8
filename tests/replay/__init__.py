"""Tests of replays of recorded order flow."""
