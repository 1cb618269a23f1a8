"""Which engine this machine can run, and the sizes that go with it."""

import importlib
import importlib.util
from dataclasses import dataclass

KERNEL = "kernel"
REFERENCE = "reference"
HOW_TO_GET_A_COMPILER = (
    "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y && make kernel"
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much a demo does."""

    engine: str
    trades: int
    # Longest time of the flow.
    flow_seconds: float
    # Commands per firm without an answer, and per burst.
    window_commands: int
    burst_commands: int
    # Commands that the reference engine carries out again.
    replay_commands: int
    replay_seconds: float
    # So often that a crash finds a snapshot.
    snapshot_every_commands: int


FULL = Sizes(KERNEL, 100_000, 100.0, 1_000, 100, 20_000, 20.0, 50_000)
SMALL = Sizes(REFERENCE, 4_000, 60.0, 400, 25, 4_000, 20.0, 1_000)


def has_kernel() -> bool:
    """Whether the wheel is there and has an engine."""
    if importlib.util.find_spec("cambist_kernel") is None:
        return False
    return hasattr(importlib.import_module("cambist_kernel"), "Engine")


def sizes() -> Sizes:
    """Full with the kernel, small with the reference engine."""
    return FULL if has_kernel() else SMALL


def reference_notice() -> str:
    """What is said, loudly, when there is no kernel."""
    return (
        "NO RUST KERNEL: this runs on the reference engine in Python, with small numbers.\n"
        f"A Rust compiler and the kernel come with one command:\n  {HOW_TO_GET_A_COMPILER}"
    )
