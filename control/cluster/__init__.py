"""The API server: requests, watches, what is known, who leads."""
