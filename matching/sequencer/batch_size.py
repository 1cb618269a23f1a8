"""How many commands the next batch may take, from how large the event rows before it were. Pure."""

from matching import limits


class BatchSize:
    """Falls at once when rows grow too large, and rises again by steps."""

    __slots__ = ("_commands_max", "commands")

    def __init__(self, commands_max: int) -> None:
        self._commands_max = commands_max
        self.commands = commands_max

    def learn(self, commands: int, row_bytes: int) -> None:
        """Takes the size of a row that `commands` commands gave."""
        wanted = limits.EVENT_ROW_BYTES_TARGET * commands // max(row_bytes, 1)
        if row_bytes > limits.EVENT_ROW_BYTES_TARGET:
            self.commands = max(limits.BATCH_COMMANDS_FLOOR, min(self.commands, wanted))
        elif commands * 2 >= self.commands:
            # A batch of about the allowed size was small enough: allow twice as many.
            self.commands = min(self._commands_max, max(self.commands, min(wanted, commands * 2)))
        self.commands = min(self._commands_max, self.commands)
