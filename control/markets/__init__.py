"""Markets: requests to the engine, sent once per generation."""
