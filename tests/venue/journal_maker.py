"""A journal with its clients' logs, made in memory by an engine from the demo's own order flow."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cambist.internal.journal.v1 import batch_pb2, system_pb2
from cambist.orders.v1 import commands_pb2, enums_pb2, events_pb2
from venue import client_log
from venue.checker import frames
from venue.checker.answers import record_of
from venue.checker.rows import NO_HASH, JournalRow, row_hash
from venue.client_log import FinalView, Header, LogWriter
from venue.flow.definitions import ASSETS, MARKETS, SHARD, FirmPlan, firms
from venue.flow.firm import CANCEL, Firm

START_NS = 1_700_000_000_000_000_000
STEP_NS = 1_000_000
ORDER = enums_pb2.COMMAND_CLASS_ORDER


@dataclass(frozen=True)
class SoundJournal:
    """A journal of two epochs and its clients' logs. The logs are the test's own copies."""

    rows: list[JournalRow]
    logs: list[Path]


@dataclass
class JournalMaker:
    """Sequencer, database and gateways in one: `trade` makes rows, `finish` ends the logs."""

    engine: Any
    directory: Path
    plans: tuple[FirmPlan, ...] = field(default_factory=lambda: firms(2))
    rows: list[JournalRow] = field(default_factory=list)
    epoch: int = 1
    seq_nos: dict[tuple[int, int], int] = field(default_factory=dict)
    # Commands of clients by kind.
    kinds: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.time_ns = START_NS
        self.flows = [Firm(plan, seed=7, run=1) for plan in self.plans]
        self.logs = []
        for plan in self.plans:
            path = self.directory / f"firm-{plan.firm_id}.log"
            self.logs.append(LogWriter(path, Header(plan.name, plan.account_ids)))
        self.system(*setup_commands(self.plans))

    def append(self, *envelopes: batch_pb2.Envelope) -> bytes:
        """One batch."""
        self.time_ns += STEP_NS
        first = self.engine.last_seq + 1
        commands = batch_pb2.Batch(
            shard=SHARD, first_seq=first, time_ns=self.time_ns, envelopes=envelopes
        ).SerializeToString()
        events: bytes = self.engine.apply(commands)
        row = JournalRow(
            first,
            self.engine.last_seq,
            self.epoch,
            self.time_ns,
            commands,
            events,
            self.engine.state_hash,
            b"",
            b"",
        )
        before = self.rows[-1] if self.rows else None
        command_hash = before.command_row_hash if before else NO_HASH
        event_hash = before.event_row_hash if before else NO_HASH
        self.rows.append(
            JournalRow(
                row.first_seq,
                row.last_seq,
                row.epoch,
                row.time_ns,
                commands,
                events,
                row.state_hash,
                row_hash(command_hash, row, commands),
                row_hash(event_hash, row, events),
            )
        )
        return events

    def system(self, *commands: system_pb2.SystemCommand) -> None:
        """Commands of the venue, one batch."""
        self.append(
            batch_pb2.Envelope(
                command_class=enums_pb2.COMMAND_CLASS_SYSTEM,
                count=len(commands),
                received_ns=self.time_ns,
                system_commands=system_pb2.SystemCommands(commands=commands).SerializeToString(),
            )
        )

    def trade(self, rounds: int, burst: int = 20) -> None:
        """Each firm sends a burst per round; all bursts of a round are one batch."""
        for _ in range(rounds):
            envelopes = []
            for flow, log in zip(self.flows, self.logs, strict=True):
                made = [flow.next(self.time_ns + STEP_NS) for _ in range(burst)]
                for one in made:
                    log.write(client_log.sent(one.account_id, one.id, one.kind))
                    self.kinds[one.kind] += 1
                for kind in (CANCEL, 0):
                    part = [one.command for one in made if (one.kind == CANCEL) == bool(kind)]
                    if part:
                        envelopes.append(self.envelope(flow.plan.firm_id, kind == CANCEL, part))
            self.deliver(self.append(*envelopes))

    def envelope(
        self, session_id: int, is_cancel: bool, part: list[commands_pb2.Command]
    ) -> batch_pb2.Envelope:
        command_class = enums_pb2.COMMAND_CLASS_CANCEL if is_cancel else ORDER
        first = self.seq_nos.get((session_id, command_class), 1)
        self.seq_nos[session_id, command_class] = first + len(part)
        return batch_pb2.Envelope(
            command_class=command_class,
            session_id=session_id,
            connection=1,
            first_seq_no=first,
            count=len(part),
            received_ns=self.time_ns,
            commands=commands_pb2.Commands(commands=part).SerializeToString(),
        )

    def deliver(self, events: bytes) -> None:
        """Tells every client what concerns it."""
        for frame in frames.split(events):
            if frame.kind != frames.PRIVATE:
                continue
            for flow, log in zip(self.flows, self.logs, strict=True):
                if frame.key in flow.plan.account_ids:
                    for event in events_pb2.PrivateEvents.FromString(frame.payload).events:
                        record = record_of(event)
                        log.write(record)
                        flow.told(record)

    def finish(self) -> list[Path]:
        """Ends the logs; their paths."""
        for flow, log in zip(self.flows, self.logs, strict=True):
            orders = {
                order.order_id: (order.account_id, order.leaves_lots, order.cum_lots)
                for order in flow.orders.by_id.values()
            }
            log.close(FinalView(orders, {}, complete=True))
        return sorted(self.directory.glob("*.log"))


def setup_commands(plans: tuple[FirmPlan, ...]) -> list[system_pb2.SystemCommand]:
    """Assets, markets, firms, accounts, money, sessions."""
    commands = [
        system_pb2.SystemCommand(
            create_asset=system_pb2.CreateAsset(
                asset_id=asset.asset_id, symbol=asset.symbol, decimals=asset.decimals
            )
        )
        for asset in ASSETS
    ]
    for market in MARKETS:
        create = system_pb2.CreateMarket(
            market_id=market.market_id,
            symbol=market.symbol,
            base_asset_id=market.base_asset_id,
            quote_asset_id=market.quote_asset_id,
            lot_size_atoms=market.lot_size_atoms.to_bytes(16, "little"),
            tick_size_atoms=market.tick_size_atoms.to_bytes(16, "little"),
            parameters=system_pb2.MarketParameters(
                maker_fee_ppm=market.maker_fee_ppm, taker_fee_ppm=market.taker_fee_ppm
            ),
        )
        phase = system_pb2.SetPhase(
            market_id=market.market_id, phase=enums_pb2.MARKET_PHASE_CONTINUOUS
        )
        commands += [
            system_pb2.SystemCommand(create_market=create),
            system_pb2.SystemCommand(set_phase=phase),
        ]
    source_seq = 0
    for plan in plans:
        firm = system_pb2.CreateFirm(firm_id=plan.firm_id, name=plan.name)
        commands.append(system_pb2.SystemCommand(create_firm=firm))
        for account_id in plan.account_ids:
            account = system_pb2.CreateAccount(
                account_id=account_id,
                firm_id=plan.firm_id,
                self_trade_group_id=plan.firm_id if account_id % 3 == 0 else 0,
            )
            commands.append(system_pb2.SystemCommand(create_account=account))
            for asset in ASSETS:
                source_seq += 1
                credit = system_pb2.Credit(
                    source_id=1,
                    source_seq=source_seq,
                    deposit_id=source_seq.to_bytes(16, "big"),
                    account_id=account_id,
                    asset_id=asset.asset_id,
                    amount_atoms=asset.start_atoms.to_bytes(16, "little"),
                )
                commands.append(system_pb2.SystemCommand(credit=credit))
        session = system_pb2.SessionEstablished(
            session_id=plan.firm_id,
            firm_id=plan.firm_id,
            account_ids=plan.account_ids,
            may_trade=True,
            link_id=1,
            correlation=1,
        )
        commands.append(system_pb2.SystemCommand(session_established=session))
    return commands
