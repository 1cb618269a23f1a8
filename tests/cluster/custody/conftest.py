"""One venue with custody for all tests of this folder, in their order; gone after the last.

It fills the node: a venue of other tests does not fit beside it. A fixture of a package ends with
the folder only where the folder has an `__init__.py`, and else with the whole run.
"""

from collections.abc import Iterator

import pytest

from tests.cluster.custody.installed import Custody, install


@pytest.fixture(scope="package")
def custody(definitions: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Custody]:
    made = Custody(tmp_path_factory.mktemp("custody"))
    try:
        install(made)
        yield made
    finally:
        made.remove()
