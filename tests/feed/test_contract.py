"""Both images know every field that a row or a snapshot may have, of any version of the rules."""

from types import ModuleType
from typing import Final

import pytest
from google.protobuf.message import Message

from cambist.internal.journal.v1 import frames_pb2 as frames
from cambist.internal.journal.v1 import snapshot_pb2 as snapshots
from cambist.orders.v1 import events_pb2 as events
from tests.feed.filled import filled
from tests.feed.rows import ACCOUNTS, MARKET, SHARD, apply_all, defining_row, event_row

SECTIONS: Final[dict[str, type[Message]]] = {
    "money": snapshots.MoneySection,
    "books": snapshots.BooksSection,
    "triggers": snapshots.TriggersSection,
    "limits": snapshots.LimitsSection,
}


def members(kind: type[Message]) -> list[str]:
    """Names of the members of a message's only oneof."""
    return [field.name for field in kind.DESCRIPTOR.oneofs[0].fields]


@pytest.mark.parametrize("member", members(frames.SystemEvent))
def test_every_event_of_the_venue_is_known(implementation: ModuleType, member: str) -> None:
    image = implementation.Image(SHARD)
    container = frames.SystemEvents(events=[filled(frames.SystemEvent, member)])
    if member == "market_defined":
        container.events[0].market_defined.market.market_id = MARKET
    row = event_row({(frames.FRAME_KIND_SYSTEM, 0): container})
    apply_all(image, [defining_row(), (2, 2, row)])
    assert image.last_seq == 2


@pytest.mark.parametrize("member", members(events.PrivateEvent))
def test_every_event_of_an_account_is_known(implementation: ModuleType, member: str) -> None:
    image = implementation.Image(SHARD)
    event = filled(events.PrivateEvent, member)
    event.account_id = ACCOUNTS[0]
    row = event_row(
        {(frames.FRAME_KIND_PRIVATE, ACCOUNTS[0]): events.PrivateEvents(events=[event])}
    )
    apply_all(image, [defining_row(), (2, 2, row)])
    assert image.last_seq == 2


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_of_a_snapshot_is_known(implementation: ModuleType, section: str) -> None:
    image = implementation.Image(SHARD)
    whole = filled(snapshots.Snapshot)
    whole.layout_version, whole.shard = 1, SHARD
    for name, kind in SECTIONS.items():
        content = filled(kind) if name == section else kind()
        if isinstance(content, snapshots.BooksSection):
            for book in content.books:
                book.asks[0].public_order_id = 2
        setattr(whole, name, content.SerializeToString())
    image.load_snapshot(whole.SerializeToString())
    assert image.last_seq == whole.last_seq
