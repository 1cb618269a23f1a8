"""The table of reject reasons, made from the contract: `python -m tests.reference.reasons_page`.

`test_reasons_page` compares it with docs/reasons.md.
"""

import re
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PROTO: Final = ROOT / "protos/cambist/orders/v1/enums.proto"
PAGE: Final = ROOT / "docs/reasons.md"
HEAD: Final = """# Reject reasons

Why a command was refused, as `RejectReason` of `protos/cambist/orders/v1/enums.proto` says it.
A refused command changes nothing in books, money and triggers. When each is given, and which comes
first, is in [semantics.md](semantics.md). Written by `python -m tests.reference.reasons_page`.

| number | reason | meaning |
|---|---|---|
"""
VALUE: Final = re.compile(r"((?:  // .*\n)+)  REJECT_REASON_(\w+) = (\d+);")


def page() -> str:
    """The page; rows ascend by number, as the contract does."""
    rows = []
    for comment, name, number in VALUE.findall(PROTO.read_text(encoding="utf-8")):
        meaning = " ".join(line.strip().removeprefix("// ") for line in comment.splitlines())
        if int(number):
            rows.append(f"| {number} | `{name}` | {meaning} |\n")
    return HEAD + "".join(rows)


if __name__ == "__main__":
    sys.exit(0 if PAGE.write_text(page(), encoding="utf-8") else 1)
