"""Abuse: hostile bytes and numbers against codec and RPCs."""
