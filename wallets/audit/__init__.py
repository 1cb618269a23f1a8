"""The chain of hashes over all changes of custody's states."""
