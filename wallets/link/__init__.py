"""Custody's link to the engine: journal rows in, numbered commands out."""
