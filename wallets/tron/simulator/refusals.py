"""Refusals of a simulated node, with the real node's codes and words.

Raised all over the simulator; the server words them for the route that was asked.
"""


class Refused(Exception):
    """A node's refusal: code and text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class Invalid(Refused):
    """The contract cannot be executed."""

    def __init__(self, text: str) -> None:
        super().__init__("CONTRACT_VALIDATE_ERROR", text)
