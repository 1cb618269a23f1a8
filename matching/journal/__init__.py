"""The journal in Postgres: rows, their hashes, the writer behind the fence, readers, snapshots."""
