"""What wallet workers say of themselves, and what they are told."""
