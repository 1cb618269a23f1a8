"""What a client process is told, as a JSON file, and what it tells, as lines of JSON."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from venue.flow.definitions import FirmPlan


@dataclass(frozen=True, slots=True)
class FirmConfig:
    """One firm of the process."""

    firm_id: int
    name: str
    account_ids: tuple[int, ...]
    key_file: str

    def plan(self) -> FirmPlan:
        """As the flow takes it."""
        return FirmPlan(self.firm_id, self.name, self.account_ids)


@dataclass(frozen=True, slots=True)
class TraderConfig:
    """One process."""

    name: str
    endpoints: tuple[str, ...]
    # Empty = plain text.
    authority_file: str
    firms: tuple[FirmConfig, ...]
    seed: int
    run: int
    log_directory: str
    # Commands per firm without an answer.
    window_commands: int
    # Commands made at once.
    burst_commands: int
    # Commands per second of all its firms; 0 = as fast as answers come.
    commands_per_second: int

    def save(self, path: Path) -> None:
        """Writes the file."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote."""
        content: dict[str, Any] = json.loads(path.read_text())
        content["firms"] = tuple(
            FirmConfig(firm["firm_id"], firm["name"], tuple(firm["account_ids"]), firm["key_file"])
            for firm in content["firms"]
        )
        content["endpoints"] = tuple(content["endpoints"])
        return cls(**content)
