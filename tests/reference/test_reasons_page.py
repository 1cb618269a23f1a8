"""The page of reject reasons says what the contract says, and all of it."""

from cambist.orders.v1 import enums_pb2 as enums
from tests.reference.reasons_page import PAGE, page


def test_the_page_of_reasons_is_current() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == page(), "write it anew with `python -m tests.reference.reasons_page`"


def test_every_reason_is_on_the_page() -> None:
    names = [name.removeprefix("REJECT_REASON_") for name in enums.RejectReason.keys()[1:]]
    assert [name for name in names if f"`{name}`" not in page()] == []
