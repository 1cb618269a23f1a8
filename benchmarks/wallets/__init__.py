"""Custody's own figures, each part in a module with a function `measure`."""
