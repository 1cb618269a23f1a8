"""The outcome of a replay as plain data, for people and for machines."""

from collections import Counter
from typing import Any

from cambist.replay.compare import Comparison
from cambist.replay.flow import Flow
from cambist.replay.player import Played


def report_of(flow: Flow, played: Played, comparison: Comparison) -> dict[str, Any]:
    """Counts and shares; differences one by one."""
    return {
        "rows": flow.rows,
        "commands": played.commands,
        "trades_expected": comparison.expected,
        "trades_came_out": comparison.came_out,
        "trades_equal": comparison.equal,
        "equal_share": round(comparison.equal_share, 6),
        "unexplained": comparison.unexplained,
        "unpaired_fills": played.unpaired,
        "causes": {cause.name: count for cause, count in comparison.causes.items()},
        "notes": {note.name: len(orders) for note, orders in flow.notes.items()},
        "orders_refused": dict(Counter(played.refused.values())),
        "changes_refused": dict(played.late),
        "differences": [
            {
                "is_missing": difference.is_missing,
                "cause": difference.cause.name,
                "price": difference.trade.price,
                "quantity": difference.trade.quantity,
                "buy_order": difference.trade.buy_order,
                "sell_order": difference.trade.sell_order,
                "row": difference.trade.row,
            }
            for difference in comparison.differences
        ],
    }
