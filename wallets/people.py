"""Two different persons: whose names a decision needs that none may make alone. Pure.

Called by commands of operators. Who they are is not proved here: the names are written down with
what they decided.
"""

from collections.abc import Sequence
from typing import Final

from wallets.errors import Rejected

PEOPLE_TO_DECIDE: Final = 2
NAME_LENGTH_MAX: Final = 100


def check_people(people: Sequence[str]) -> list[str]:
    """Two different names; capitals and space around make no other person. Raises Rejected."""
    names = [name.strip() for name in people]
    if len(names) != PEOPLE_TO_DECIDE or len({name.casefold() for name in names} - {""}) != len(
        names
    ):
        raise Rejected("TWO_PERSONS", "two different names decide")
    if any(len(name) > NAME_LENGTH_MAX for name in names):
        raise Rejected("TWO_PERSONS", f"names have at most {NAME_LENGTH_MAX} characters")
    return names
