"""Plays a flow through an engine in this process: batches in, event rows out, no network."""

import time
from collections.abc import Iterable
from itertools import islice

from cambist.client.decode import decode_event
from cambist.client.enums import MarketPhase
from cambist.client.events import Filled, Refused
from cambist.client.instruments import Asset, Market
from cambist.feed.row import frames
from cambist.internal.journal.v1 import batch_pb2, frames_pb2, system_pb2
from cambist.orders.v1 import commands_pb2, enums_pb2, events_pb2
from cambist.replay import limits
from cambist.replay.flow import Command, Enter, Flow, Scale
from cambist.replay.orders import FillBook, Fit, Orders
from cambist.replay.player import Played
from matching import engines

SHARD = 1
MARKET = (SHARD << 16) + 1
FIRM = 1
PAIR = 4_096, 4_097
EXTERNAL = 4
BATCH_COMMANDS = 1_000
MICROSECOND_NS = 1_000
SystemCommand = system_pb2.SystemCommand


def amount(atoms: int) -> bytes:
    return atoms.to_bytes(16, "little", signed=True)


def market_for(scale: Scale) -> Market:
    """A market on which one tick and one lot are one unit of the recording."""
    base = Asset(1, "BASE", scale.quantity_decimals)
    quote = Asset(2, "QUOTE", scale.price_decimals + scale.quantity_decimals)
    return Market(MARKET, "BASE-QUOTE", base, quote, 1, 10**scale.quantity_decimals, 1)


class EnginePlayer:
    """One engine with one market and two accounts."""

    def __init__(self, scale: Scale, engine: str = "auto") -> None:
        self._engine = engines.load(engine).make(SHARD)
        self._now_ns = time.time_ns()
        market = market_for(scale)
        self._apply([system_envelope(definitions(market))])
        self._ids = iter(range(1, 1 << 62))
        self.orders = Orders(
            Fit.of(market, scale),
            [PAIR],
            run=b"replay01",
            make_id=lambda: next(self._ids).to_bytes(16, "big"),
            now_ns=lambda: self._now_ns,
        )
        self._fills = FillBook(self.orders)
        self.played = Played(self._fills.trades)

    def play(self, flow: Flow) -> Played:
        commands = iter(flow.commands)
        while batch := list(islice(commands, BATCH_COMMANDS)):
            self._play_batch(batch)
        self.played.unpaired = self._fills.unpaired
        return self.played

    def _play_batch(self, batch: Iterable[Command]) -> None:
        envelopes: list[batch_pb2.Envelope] = []
        seqs: dict[int, Command] = {}
        for command in batch:
            self._now_ns += MICROSECOND_NS
            message = self.orders.request(command).message
            seqs[self._engine.last_seq + 1 + len(envelopes)] = command
            envelopes.append(unary_envelope(message, self._now_ns))
        row = self._apply(envelopes)
        self.played.commands += len(envelopes)
        for frame in frames(row):
            if frame.kind == frames_pb2.FRAME_KIND_PRIVATE:
                for private in events_pb2.PrivateEvents.FromString(frame.payload).events:
                    event = decode_event(private)
                    if isinstance(event, Filled):
                        self._fills.take(event)
                    elif isinstance(event, Refused):
                        self._refused(event, seqs[event.seq])

    def _refused(self, event: Refused, command: Command) -> None:
        if isinstance(command, Enter):
            self.played.refused[command.order] = event.reason.name
        else:
            self.played.late[event.reason.name] += 1

    def _apply(self, envelopes: list[batch_pb2.Envelope]) -> bytes:
        batch = batch_pb2.Batch(
            shard=SHARD,
            first_seq=self._engine.last_seq + 1,
            time_ns=self._now_ns,
            envelopes=envelopes,
        )
        return self._engine.apply(batch.SerializeToString())


def unary_envelope(command: commands_pb2.Command, received_ns: int) -> batch_pb2.Envelope:
    return batch_pb2.Envelope(
        command_class=enums_pb2.COMMAND_CLASS_UNARY,
        count=1,
        received_ns=received_ns,
        commands=commands_pb2.Commands(commands=[command]).SerializeToString(),
    )


def system_envelope(commands: list[SystemCommand]) -> batch_pb2.Envelope:
    body = system_pb2.SystemCommands(commands=commands).SerializeToString()
    return batch_pb2.Envelope(
        command_class=enums_pb2.COMMAND_CLASS_SYSTEM, count=len(commands), system_commands=body
    )


def definitions(market: Market) -> list[SystemCommand]:
    """Assets, the market in CONTINUOUS, a firm, two rich accounts."""
    commands = [
        SystemCommand(
            create_asset=system_pb2.CreateAsset(
                asset_id=asset.asset_id, symbol=asset.symbol, decimals=asset.decimals
            )
        )
        for asset in (market.base, market.quote)
    ]
    commands += [
        SystemCommand(
            create_market=system_pb2.CreateMarket(
                market_id=market.market_id,
                symbol=market.symbol,
                base_asset_id=market.base.asset_id,
                quote_asset_id=market.quote.asset_id,
                lot_size_atoms=amount(market.lot_size_atoms),
                tick_size_atoms=amount(market.tick_size_atoms),
            )
        ),
        SystemCommand(
            set_phase=system_pb2.SetPhase(
                market_id=market.market_id,
                phase=enums_pb2.MarketPhase.ValueType(MarketPhase.CONTINUOUS),
            )
        ),
        SystemCommand(create_firm=system_pb2.CreateFirm(firm_id=FIRM, name="replay")),
    ]
    source_seq = 0
    for account_id in PAIR:
        commands.append(
            SystemCommand(
                create_account=system_pb2.CreateAccount(
                    account_id=account_id,
                    firm_id=FIRM,
                    limits=system_pb2.AccountLimits(
                        open_orders_max=limits.OPEN_ORDERS_MAX, id_capacity=limits.ID_CAPACITY
                    ),
                )
            )
        )
        for asset in (market.base, market.quote):
            source_seq += 1
            commands.append(credit(account_id, asset.asset_id, source_seq))
    return commands


def credit(account_id: int, asset_id: int, source_seq: int) -> SystemCommand:
    return SystemCommand(
        adjust=system_pb2.Adjust(
            adjustment_id=(account_id << 8 | asset_id).to_bytes(16, "big"),
            from_account_id=EXTERNAL,
            to_account_id=account_id,
            asset_id=asset_id,
            amount_atoms=amount(limits.MONEY_ATOMS),
            first_approver="one",
            second_approver="two",
            source_id=1,
            source_seq=source_seq,
        )
    )
