"""What came out of a backtest: reports, trades and quotes as arrays, or as Arrow tables."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from cambist.backtest.rows import QUOTE, REPORT, TRADE, Rows
from cambist.client.enums import ExecType

HALF_BITS = 64


@dataclass(frozen=True, slots=True)
class Results:
    """Rows in the order they happened. The arrays may only be read."""

    reports: Rows
    trades: Rows
    quotes: Rows

    @classmethod
    def of(cls, reports: bytes, trades: bytes, quotes: bytes) -> Self:
        """From the kernel's rows, without a copy."""
        return cls(
            np.frombuffer(reports, REPORT),
            np.frombuffer(trades, TRADE),
            np.frombuffer(quotes, QUOTE),
        )

    def of_type(self, exec_type: ExecType) -> Rows:
        """The reports of one kind."""
        rows: Rows = self.reports[self.reports["exec_type"] == exec_type]
        return rows

    @property
    def fills(self) -> Rows:
        """One report per side of a trade."""
        return self.of_type(ExecType.TRADE)

    @property
    def rejected(self) -> Rows:
        """What was refused, with `reject_reason`."""
        return self.of_type(ExecType.REJECTED)

    def fees(self, reports: Rows | None = None) -> list[int]:
        """The exact fee of each report in atoms; negative is a rebate."""
        rows = self.reports if reports is None else reports
        halves = zip(rows["fee_atoms_high"].tolist(), rows["fee_atoms_low"].tolist(), strict=True)
        return [(high << HALF_BITS) | low for high, low in halves]

    def arrow(self) -> dict[str, Any]:
        """`reports`, `trades` and `quotes` as pyarrow tables, one column per field."""
        return {
            "reports": table(self.reports),
            "trades": table(self.trades),
            "quotes": table(self.quotes),
        }


def table(rows: Rows) -> Any:
    """Rows as a pyarrow table."""
    import pyarrow as pa  # here: it is large, and not everybody wants tables

    names = [name for name in rows.dtype.names or () if name != "padding"]
    return pa.table({name: np.ascontiguousarray(rows[name]) for name in names})
