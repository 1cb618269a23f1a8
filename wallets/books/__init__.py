"""The double-entry book of custody."""
