"""Whether engine, book and chain say the same, at one cut."""
