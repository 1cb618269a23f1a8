"""Clients' logs come out as they went in, also when their writer died."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from venue import client_log
from venue.client_log import FinalView, Header, LogWriter, Record

U64 = st.integers(min_value=0, max_value=2**64 - 1)
I64 = st.integers(min_value=-(2**63), max_value=2**63 - 1)
ID = st.binary(min_size=16, max_size=16)
RECORDS = st.builds(
    Record,
    kind=st.sampled_from([client_log.SENT, client_log.EVENT]),
    code=st.integers(min_value=0, max_value=255),
    reason=st.integers(min_value=0, max_value=2**16 - 1),
    market_id=st.integers(min_value=0, max_value=2**32 - 1),
    account_id=U64,
    account_seq=U64,
    seq=U64,
    order_id=U64,
    leaves_lots=I64,
    cum_lots=I64,
    lots=I64,
    price_ticks=I64,
    trade_id=U64,
    amount_atoms=U64,
    id=ID,
    request_id=ID,
)
VIEW = FinalView({7: (4_096, 5, 1)}, {(4_096, 3): (10**30, 2)}, complete=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RECORDS, max_size=20))
def test_records_come_out_as_they_went_in(tmp_path: Path, records: list[Record]) -> None:
    path = tmp_path / "one.log"
    writer = LogWriter(path, Header("Firm 1", (4_096, 4_097)))
    for record in records:
        writer.write(record)
    writer.close(VIEW)
    assert client_log.read_header(path) == Header("Firm 1", (4_096, 4_097))
    assert list(client_log.read_records(path)) == records
    assert client_log.read_view(path) == VIEW


def test_a_torn_last_record_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "one.log"
    writer = LogWriter(path, Header("Firm 1", (1,)))
    writer.write(client_log.sent(1, bytes(16)))
    writer.write(client_log.sent(1, b"x" * 16))
    writer.close(VIEW)
    path.write_bytes(path.read_bytes()[:-1])
    assert list(client_log.read_records(path)) == [client_log.sent(1, bytes(16))]


def test_a_client_that_never_came_to_its_end_has_no_view(tmp_path: Path) -> None:
    assert client_log.read_view(tmp_path / "none.log") is None
