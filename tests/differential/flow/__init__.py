"""The flow of commands of a tape: made from a seed and from what the engine answered."""
