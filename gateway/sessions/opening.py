"""Opening a connection: checks Establish, asks the engine, waits for the committed answer."""

import asyncio
from dataclasses import dataclass

from cambist.internal.journal.v1 import frames_pb2, system_pb2
from cambist.orders.v1 import enums_pb2, events_pb2, service_pb2
from gateway import limits
from gateway.errors import Unavailable
from gateway.identity.keys import Caller
from gateway.identity.session_store import SessionRecord
from gateway.sessions.connection import Connection, ConnectionTerms, Reason, ReasonValue
from gateway.shard.envelopes import session_lost, system_envelope
from gateway.shard.rows import Row
from gateway.shard.shard import Shard
from runtime.clock import NANOSECONDS_PER_MILLISECOND

WINDOW_MODES = enums_pb2.CancelOnDisconnect.values()


class Refused(Exception):
    """The connection is refused with a Terminate."""

    def __init__(self, reason: ReasonValue, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


def unknown_session() -> Refused:
    """No such session, or not of this key: the two look the same."""
    return Refused(Reason.TERMINATE_REASON_UNKNOWN_SESSION, "no such session or version")


def check_establish(establish: service_pb2.Establish) -> None:
    """Raises Refused for fields that cannot be."""
    wrong = ""
    if not limits.KEEP_ALIVE_MINIMUM_MS <= establish.keep_alive_ms <= limits.KEEP_ALIVE_MAXIMUM_MS:
        wrong = "keep_alive_ms is not in 1,000 to 60,000"
    elif establish.cod_window_ms > limits.WINDOW_MAXIMUM_MS:
        wrong = "cod_window_ms is above 600,000"
    elif establish.cancel_on_disconnect not in WINDOW_MODES:
        wrong = "unknown cancel_on_disconnect"
    elif establish.response_mode not in service_pb2.ResponseMode.values():
        wrong = "unknown response_mode"
    if wrong:
        raise Refused(Reason.TERMINATE_REASON_PROTOCOL_ERROR, wrong)


def make_terms(
    establish: service_pb2.Establish, record: SessionRecord, caller: Caller, shard: Shard
) -> ConnectionTerms:
    """Terms of the connection. Raises Refused when the key has none of the accounts any more."""
    allowed = set(caller.accounts_on(shard.feed.reference))
    accounts = tuple(account_id for account_id in record.account_ids if account_id in allowed)
    if not accounts:
        raise Refused(Reason.TERMINATE_REASON_REFUSED, "the key has no account of the session")
    return ConnectionTerms(
        session_id=record.session_id,
        session_version=record.version,
        account_ids=accounts,
        keep_alive_ns=establish.keep_alive_ms * NANOSECONDS_PER_MILLISECOND,
        resume_after_seq=establish.resume_after_seq,
        is_private=establish.response_mode != service_pb2.RESPONSE_MODE_SESSION_ONLY,
    )


def established_command(
    establish: service_pb2.Establish, connection: Connection, correlation: int
) -> system_pb2.SystemCommand:
    """What the engine is asked; permissions come from the key."""
    caller, shard = connection.caller, connection.shard
    markets = sorted(
        market_id for market_id in caller.record.market_ids if market_id >> 16 == shard.number
    )
    # An empty list means all markets: a key with markets on other shards only may trade none.
    none_here = bool(caller.record.market_ids) and not markets
    command = system_pb2.SessionEstablished(
        session_id=connection.terms.session_id,
        firm_id=caller.firm_id,
        account_ids=connection.terms.account_ids,
        market_ids=markets,
        may_trade=caller.may_trade and not none_here,
        cancel_on_disconnect=establish.cancel_on_disconnect,
        window_ms=establish.cod_window_ms,
        link_id=shard.link.link_id,
        correlation=correlation,
    )
    return system_pb2.SystemCommand(session_established=command)


@dataclass(slots=True)
class EngineOpening:
    """Waits for the engine's answer to one SessionEstablished."""

    connection: Connection
    session_id: int
    answer: asyncio.Future[tuple[Row, events_pb2.SessionEvent]]

    def opened(self, row: Row, event: events_pb2.SessionEvent) -> None:
        """The engine gave it the session; one that nobody waits for any more is given back."""
        connection = self.connection
        if self.answer.done() or connection.is_over:
            connection.shard.post_system(session_lost(self.session_id, event.connection))
            if not self.answer.done():
                text = "ended while the engine was asked"
                self.answer.set_exception(Refused(connection.ended.result(), text))
            return
        connection.attach(row, event)
        self.answer.set_result((row, event))

    def answered(self, answer: frames_pb2.SystemAnswer) -> None:
        """The engine refused."""
        if not self.answer.done():
            name = enums_pb2.RejectReason.Name(answer.reason).removeprefix("REJECT_REASON_")
            self.answer.set_exception(Refused(Reason.TERMINATE_REASON_REFUSED, name))

    def link_down(self) -> None:
        """The link broke before the answer came."""
        if not self.answer.done():
            self.answer.set_exception(
                Refused(Reason.TERMINATE_REASON_FAILOVER, "the shard changed its primary")
            )


async def open_session(
    establish: service_pb2.Establish, connection: Connection
) -> tuple[Row, events_pb2.SessionEvent]:
    """Asks the engine and waits for its committed answer. Raises Refused."""
    if connection.is_over:
        raise Refused(connection.ended.result(), "ended before the engine was asked")
    shard = connection.shard
    correlation = shard.next_correlation()
    answer: asyncio.Future[tuple[Row, events_pb2.SessionEvent]]
    answer = asyncio.get_running_loop().create_future()
    opening = EngineOpening(connection, connection.terms.session_id, answer)
    command = established_command(establish, connection, correlation)
    envelope = system_envelope(command, correlation, shard.clock.wall_ns())
    shard.feed.router.expect(correlation, opening)
    shard.downs.add(opening.link_down)
    try:
        async with asyncio.timeout(limits.OPEN_SECONDS):
            await shard.submitter.submit(envelope, None, urgent=True)
            return await answer
    except Unavailable as error:
        raise Refused(Reason.TERMINATE_REASON_FAILOVER, error.fault.message) from error
    except TimeoutError as error:
        raise Refused(Reason.TERMINATE_REASON_FAILOVER, "no answer from the engine") from error
    finally:
        shard.downs.remove(opening.link_down)
        if not answer.cancel() and not answer.cancelled():
            # Nobody may be left to ask for it, and asyncio would complain.
            answer.exception()
