"""Life of an order session."""

from cambist.orders.v1 import enums_pb2
from tests.gateway.venue import Client


async def test_order_is_answered_in_its_session(client: Client) -> None:
    session = await client.session()
    assert session.established.connection == 1
    await session.send_orders(3)
    events = await session.private_events(3)
    assert [event.execution_report.exec_type for event in events] == [enums_pb2.EXEC_TYPE_NEW] * 3
