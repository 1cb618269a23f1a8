"""Where engines are, and which one of a shard is asked."""

from typing import Any

import pytest

from runtime.errors import ConfigurationError
from wallets import limits
from wallets.engines import Primary, read_engines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1=a:1", {1: ("a:1",)}),
        ("1=a:1,2=b:1", {1: ("a:1",), 2: ("b:1",)}),
        ("1=a:1,b:1;2=c:1", {1: ("a:1", "b:1"), 2: ("c:1",)}),
    ],
)
def test_a_shard_has_one_engine_or_several(text: str, expected: dict[int, Any]) -> None:
    assert read_engines("X", text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a:1",
        "1=",
        "x=a:1",
        "=a:1",
        "1=a:1;1=b:1",
        "1=" + ",".join(["a:1"] * (limits.ENGINES_PER_SHARD_MAX + 1)),
    ],
)
def test_a_wrong_setting_is_named(text: str) -> None:
    with pytest.raises(ConfigurationError, match="X"):
        read_engines("X", text)


def test_after_the_last_engine_the_first_is_asked_again() -> None:
    asked: list[int] = []

    class Channel:
        def __init__(self, number: int) -> None:
            self.number = number

        def __getattr__(self, _: str) -> Any:
            return lambda *_arguments, **_options: asked.append(self.number)

    channels: Any = (Channel(1), Channel(2))
    primary = Primary(channels)
    order = []
    for _ in range(3):
        primary.stub()
        order.append(asked[-1])
        primary.turn()
    assert order == [1, 2, 1]
