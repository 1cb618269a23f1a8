"""The Python face of the kernel: stubs, the interpreter's lock."""

import subprocess
import sys

import pytest

from cambist.orders.v1 import enums_pb2 as enums
from tests.feed.rows import SHARD, LittleVenue
from tests.kernel.progress import another_thread_goes_on

pytest.importorskip("cambist_kernel")
from cambist_kernel.feed import Image


@pytest.mark.slow
def test_stubs_say_what_the_module_has() -> None:
    command = [sys.executable, "-m", "mypy.stubtest", "cambist_kernel"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_another_thread_goes_on_while_a_snapshot_is_loaded() -> None:
    venue = LittleVenue()
    for number in range(3_000):
        venue.add(number % 2, enums.SIDE_BUY, 1 + number % 50, 5)
    snapshot = venue.snapshot()
    image = Image(SHARD)
    assert another_thread_goes_on(lambda: image.load_snapshot(snapshot))


def test_arguments_of_another_type_are_refused() -> None:
    with pytest.raises(TypeError):
        Image("1")  # type: ignore[arg-type]
    with pytest.raises(OverflowError):
        Image(-1)
    with pytest.raises(TypeError):
        Image(SHARD).load_snapshot("text")  # type: ignore[arg-type]
