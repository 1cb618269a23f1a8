"""Both images of the feed: the plain one always, that of the kernel when it is built."""

import importlib
import importlib.util
from types import ModuleType

import pytest

from cambist import feed

IMPLEMENTATIONS = ["plain"]
if importlib.util.find_spec("cambist_kernel") is not None:
    IMPLEMENTATIONS.append("kernel")


@pytest.fixture(params=IMPLEMENTATIONS)
def implementation(request: pytest.FixtureRequest) -> ModuleType:
    """A module with `Image` and `FeedBroken`."""
    if request.param == "plain":
        return feed
    return importlib.import_module("cambist_kernel.feed")
