"""Bugs that other engines had, one file each: each holds on every engine that is installed."""
