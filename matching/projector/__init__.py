"""The process that follows the event journal and writes the schema `history`."""
