"""Two different persons, and who is not."""

import pytest

from wallets.errors import Rejected
from wallets.people import NAME_LENGTH_MAX, check_people


def test_two_names_are_taken_without_the_space_around_them() -> None:
    assert check_people([" anna", "boris "]) == ["anna", "boris"]


@pytest.mark.parametrize(
    "people",
    [
        [],
        ["anna"],
        ["anna", "anna"],
        ["anna", " Anna "],
        ["STRASSE", "straße"],
        ["anna", " "],
        ["anna", "boris", "carla"],
        ["anna", "anna", "boris"],
        ["anna", "b" * (NAME_LENGTH_MAX + 1)],
    ],
)
def test_others_are_refused_by_name(people: list[str]) -> None:
    with pytest.raises(Rejected, match="TWO_PERSONS"):
        check_people(people)
