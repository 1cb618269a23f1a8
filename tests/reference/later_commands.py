"""Commands that later versions carry out. Used by the tests of ids and of poison."""

from typing import Any

from google.protobuf.message import Message

from cambist.orders.v1 import commands_pb2 as commands
from tests.reference.venue import BUY, Venue


def later_commands(venue: Venue, account: int) -> dict[str, Message]:
    """One of each, by name."""
    times: dict[str, Any] = {"account_id": account, "sent_time_ns": venue.now}
    orders = [venue.order(account, BUY, 100, 1) for _ in range(2)]
    return {
        "replace": commands.Replace(new_order=orders[0]),
        "new_list": commands.NewList(request_id=venue.new_id(), orders=orders),
        "mass_quote": commands.MassQuote(request_id=venue.new_id(), **times),
        "cancel_quotes": commands.CancelQuotes(request_id=venue.new_id(), **times),
        "reset_protection": commands.ResetProtection(request_id=venue.new_id(), **times),
        "cancel_all_after": commands.CancelAllAfter(request_id=venue.new_id(), **times),
    }
