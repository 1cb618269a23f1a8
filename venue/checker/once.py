"""Whether each command took effect once: ids of clients and of the journal, joined on disk.

Ids are spread over files by their last byte, and each file is judged alone, so that memory holds
one sixty-fourth of them at a time, however long the journal is.
"""

import struct
from collections import Counter, defaultdict
from pathlib import Path
from typing import BinaryIO, Final

from venue.checker.findings import Findings, Kind

FILES: Final = 64
_RECORD: Final = struct.Struct("<16sQB")

# What is known of an id, as it is written down.
SENT: Final = 1
TOLD_ACCEPTED: Final = 2
TOLD_REFUSED: Final = 3
IN_COMMANDS: Final = 4
ACCEPTED: Final = 5
REFUSED: Final = 6


class Ids:
    """Collects (id, account, what is known) and judges them at the end."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._paths = [directory / f"ids-{index:02}" for index in range(FILES)]
        self._files: list[BinaryIO] = [path.open("wb") for path in self._paths]

    def note(self, command_id: bytes, account_id: int, what: int) -> None:
        """One thing known of one id."""
        self._files[command_id[-1] % FILES].write(_RECORD.pack(command_id, account_id, what))

    def judge(self, findings: Findings, client_accounts: frozenset[int]) -> int:
        """Judges all ids; the number that clients were told were accepted."""
        acknowledged = 0
        for path, file in zip(self._paths, self._files, strict=True):
            file.close()
            known: defaultdict[tuple[bytes, int], Counter[int]] = defaultdict(Counter)
            for command_id, account_id, what in _RECORD.iter_unpack(path.read_bytes()):
                known[command_id, account_id][what] += 1
            for (command_id, account_id), counts in known.items():
                acknowledged += counts[TOLD_ACCEPTED] > 0
                judge_one(
                    findings,
                    f"{command_id.hex()} of account {account_id}",
                    counts,
                    is_clients=account_id in client_accounts,
                )
            path.unlink()
        return acknowledged


def judge_one(findings: Findings, name: str, counts: Counter[int], *, is_clients: bool) -> None:
    """One id: sent, told and journaled must fit together."""
    if counts[ACCEPTED] > 1:
        findings.add(Kind.DUPLICATED, f"{name} took effect {counts[ACCEPTED]} times")
    if counts[TOLD_ACCEPTED] and not (counts[ACCEPTED] and counts[IN_COMMANDS]):
        findings.add(Kind.ACKNOWLEDGED_LOST, f"{name} was acknowledged and is not in the journal")
    if (counts[ACCEPTED] or counts[REFUSED]) and not counts[IN_COMMANDS]:
        findings.add(Kind.WRONG_ANSWER, f"{name} was answered and is in no command row")
    if is_clients and counts[IN_COMMANDS] and not counts[SENT]:
        findings.add(Kind.WRONG_ANSWER, f"{name} is in the journal and no client sent it")
    if counts[SENT] and not (counts[TOLD_ACCEPTED] or counts[TOLD_REFUSED]):
        findings.add(Kind.UNANSWERED, f"{name} was never answered")
