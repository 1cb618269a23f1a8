"""Market data: snapshot and changes in one stream, paced by the client's credit."""
