"""Journals for tests of the followers: rows made by an engine from a seed, every kind of event.

Commands of firms come one per UNARY envelope, so that no sessions are needed. `store` puts rows
where the primary would, without a fence: followers never look at it.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from cambist.internal.journal.v1 import batch_pb2, system_pb2
from cambist.orders.v1 import commands_pb2, enums_pb2
from matching import engines
from matching.engines import Engine
from matching.journal.partitions import prepare_shards
from matching.journal.rows import Applied, JournalRow, Tail, chain
from matching.server import MIGRATIONS
from runtime import migrations
from runtime.postgres import Database

SHARD: Final = 1
START_NS: Final = 1_700_000_000_000_000_000
STEP_NS: Final = 7_000_000_000
ACCOUNTS: Final = (4_096, 4_097, 4_098, 5_000)
MARKETS: Final = ((SHARD << 16) + 1, (SHARD << 16) + 2)
ASSETS: Final = (1, 2, 3)
SYSTEM, UNARY = enums_pb2.COMMAND_CLASS_SYSTEM, enums_pb2.COMMAND_CLASS_UNARY
SIDES: Final = (enums_pb2.SIDE_BUY, enums_pb2.SIDE_SELL)
INSERT: Final = """
insert into journal.{} (shard, first_seq, last_seq, epoch, time_ns, bytes, state_hash, row_hash)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""


def atoms(amount: int) -> bytes:
    """An amount as the contract has it."""
    return amount.to_bytes(16, "little", signed=True)


def system(**command: Any) -> system_pb2.SystemCommand:
    """One command of the venue."""
    return system_pb2.SystemCommand(**command)


@dataclass
class Journal:
    """Rows of one shard, and what the next random command needs to know."""

    seed: int
    engine: Engine = field(default_factory=lambda: engines.load("auto").make(SHARD))
    rows: list[JournalRow] = field(default_factory=list)
    tail: Tail = field(default_factory=Tail)
    time_ns: int = START_NS
    ids: int = 0
    source_seq: int = 0
    sent: list[commands_pb2.Command] = field(default_factory=list)
    # Client order id and account of each order sent.
    orders: list[tuple[bytes, int]] = field(default_factory=list)
    deposits: list[bytes] = field(default_factory=list)
    withdrawals: list[bytes] = field(default_factory=list)
    # Steps taken so far.
    turns: dict[bytes, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.commit(self.of_system(*definitions()))
        self.commit(
            self.of_system(
                *(self.credit(account, asset, 10**15) for account in ACCOUNTS for asset in ASSETS)
            )
        )

    def commit(self, *envelopes: batch_pb2.Envelope) -> JournalRow:
        """Applies one batch and chains its row."""
        self.time_ns += self.random.randrange(STEP_NS)
        batch = batch_pb2.Batch(
            shard=SHARD,
            first_seq=self.engine.last_seq + 1,
            time_ns=self.time_ns,
            envelopes=envelopes,
        )
        commands = batch.SerializeToString()
        events = self.engine.apply(commands)
        applied = Applied(
            batch.first_seq,
            self.engine.last_seq,
            self.time_ns,
            commands,
            events,
            self.engine.state_hash,
        )
        self.rows.append(chain(applied, 1, self.tail))
        self.tail = self.rows[-1].tail
        return self.rows[-1]

    def play(self, batches: int, commands: int = 8) -> "Journal":
        """Random batches of 1 to `commands` commands."""
        for _ in range(batches):
            count = self.random.randint(1, commands)
            self.commit(*(self.next_envelope() for _ in range(count)))
        return self

    def of_system(self, *commands: system_pb2.SystemCommand) -> batch_pb2.Envelope:
        """Commands of the venue in one envelope."""
        return batch_pb2.Envelope(
            command_class=SYSTEM,
            count=len(commands),
            received_ns=self.time_ns,
            system_commands=system_pb2.SystemCommands(commands=commands).SerializeToString(),
        )

    def of_firm(self, **command: Any) -> batch_pb2.Envelope:
        """One command of a firm."""
        self.sent.append(commands_pb2.Command(**command))
        return self._unary(self.sent[-1])

    def _unary(self, command: commands_pb2.Command) -> batch_pb2.Envelope:
        return batch_pb2.Envelope(
            command_class=UNARY,
            count=1,
            received_ns=self.time_ns,
            commands=commands_pb2.Commands(commands=[command]).SerializeToString(),
        )

    def next_envelope(self) -> batch_pb2.Envelope:
        """A random command."""
        makers: list[tuple[int, Callable[[], batch_pb2.Envelope]]] = [
            (50, self.order),
            (10, self.cancel),
            (10, self.amend),
            (1, self.mass_cancel),
            (4, self.repeat),
            (3, self.transfer),
            (4, self.withdrawal),
            (10, self.move_withdrawal),
            (6, self.move_money),
            (1, self.freeze_or_kill),
        ]
        (make,) = self.random.choices([m for _, m in makers], [weight for weight, _ in makers])
        return make()

    def fresh_id(self) -> bytes:
        """Sixteen bytes not used before."""
        self.ids += 1
        return self.ids.to_bytes(16, "big")

    def order(self, **fields: Any) -> batch_pb2.Envelope:
        """An order near 100 ticks, of any kind; some are refused."""
        pick = self.random
        in_force = pick.choice(("GTC", "GTC", "GTC", "GTD", "IOC", "FOK"))
        values: dict[str, Any] = {
            "cl_ord_id": self.fresh_id(),
            "account_id": pick.choice(ACCOUNTS),
            "market_id": pick.choice(MARKETS),
            "side": pick.choice(SIDES),
            "order_type": enums_pb2.ORDER_TYPE_LIMIT,
            "time_in_force": enums_pb2.TimeInForce.Value(f"TIME_IN_FORCE_{in_force}"),
            "price_ticks": pick.randint(95, 105),
            "quantity_lots": pick.randint(0, 20),
            "sent_time_ns": self.time_ns,
            "self_trade_prevention": pick.randrange(6),
            "tag": pick.randrange(3),
        }
        if in_force == "GTD":
            values["expire_time_ns"] = self.time_ns + pick.randrange(1, 10 * STEP_NS)
        elif in_force == "IOC" and pick.random() < 0.6:
            values |= {"order_type": enums_pb2.ORDER_TYPE_MARKET, "price_ticks": 0}
            if values["side"] == enums_pb2.SIDE_BUY and pick.random() < 0.5:
                budget = {"quote_budget_atoms": atoms(pick.randint(1, 100_000))}
                values |= {"quantity_lots": 0, **budget}
        values |= fields
        self.orders.append((values["cl_ord_id"], values["account_id"]))
        return self.of_firm(new_order=commands_pb2.NewOrder(**values))

    def _of_order(self) -> dict[str, Any]:
        """An order that was sent before, by a chosen id, from the account that sent it."""
        unknown = (bytes(15) + b"\1", ACCOUNTS[0])
        chosen, account = self.random.choice(self.orders[-20:] or [unknown])
        return {
            "request_id": self.fresh_id(),
            "account_id": account,
            "orig_cl_ord_id": chosen,
            "sent_time_ns": self.time_ns,
        }

    def cancel(self) -> batch_pb2.Envelope:
        return self.of_firm(cancel=commands_pb2.Cancel(**self._of_order()))

    def amend(self) -> batch_pb2.Envelope:
        return self.of_firm(
            amend=commands_pb2.Amend(
                **self._of_order(),
                price_ticks=self.random.choice((0, self.random.randint(95, 105))),
                quantity_lots=self.random.randrange(30),
            )
        )

    def mass_cancel(self) -> batch_pb2.Envelope:
        return self.of_firm(
            mass_cancel=commands_pb2.MassCancel(
                request_id=self.fresh_id(),
                account_id=self.random.choice(ACCOUNTS),
                sent_time_ns=self.time_ns,
            )
        )

    def repeat(self) -> batch_pb2.Envelope:
        """The same bytes once more."""
        return self._unary(self.random.choice(self.sent)) if self.sent else self.order()

    def transfer(self) -> batch_pb2.Envelope:
        return self.of_firm(
            transfer=commands_pb2.Transfer(
                request_id=self.fresh_id(),
                account_id=self.random.choice(ACCOUNTS),
                to_account_id=self.random.choice(ACCOUNTS),
                asset_id=self.random.choice(ASSETS),
                amount_atoms=atoms(self.random.randrange(10_000)),
                sent_time_ns=self.time_ns,
            )
        )

    def withdrawal(self) -> batch_pb2.Envelope:
        self.withdrawals.append(self.fresh_id())
        return self.of_firm(
            request_withdrawal=commands_pb2.RequestWithdrawal(
                request_id=self.withdrawals[-1],
                account_id=self.random.choice(ACCOUNTS),
                asset_id=self.random.choice(ASSETS),
                network_id=1,
                amount_atoms=atoms(self.random.randrange(1, 10_000)),
                fee_atoms=atoms(self.random.randrange(100)),
                destination="somewhere",
                sent_time_ns=self.time_ns,
            )
        )

    def _source(self) -> dict[str, Any]:
        self.source_seq += 1
        return {"source_id": 1, "source_seq": self.source_seq}

    def move_withdrawal(self) -> batch_pb2.Envelope:
        """A step of a withdrawal, mostly the one whose turn it is."""
        steps: tuple[tuple[str, Any], ...] = (
            ("start_withdrawal", system_pb2.StartWithdrawal),
            ("settle_withdrawal", system_pb2.SettleWithdrawal),
            ("reopen_withdrawal", system_pb2.ReopenWithdrawal),
            ("release_withdrawal", system_pb2.ReleaseWithdrawal),
        )
        chosen = self.random.choice((self.withdrawals or [bytes(16)])[-4:])
        turn = self.turns.get(chosen, 0)
        self.turns[chosen] = turn + 1
        if self.random.random() < 0.2:
            turn = self.random.randrange(len(steps))
        name, step = steps[turn % len(steps)]
        return self.of_system(system(**{name: step(**self._source(), withdrawal_id=chosen)}))

    def credit(self, account: int, asset: int, amount: int) -> system_pb2.SystemCommand:
        self.deposits.append(self.fresh_id())
        return system(
            credit=system_pb2.Credit(
                **self._source(),
                deposit_id=self.deposits[-1],
                account_id=account,
                asset_id=asset,
                amount_atoms=atoms(amount),
            )
        )

    def move_money(self) -> batch_pb2.Envelope:
        """Money that comes from outside, goes back, or moves between books of the venue."""
        pick = self.random
        account, asset = pick.choice(ACCOUNTS), pick.choice(ASSETS)
        amount = pick.randrange(1, 10_000)
        fields: dict[str, Any] = {"asset_id": asset, "amount_atoms": atoms(amount)}
        shard: dict[str, Any] = {**fields, "peer_shard": 2, "account_id": account}
        match pick.randrange(6):
            case 0:
                # The second account does not exist: its money waits in suspense.
                return self.of_system(self.credit(pick.choice((account, 9_999)), asset, amount))
            case 1:
                # Not one of the first, with which everything else is paid.
                deposit = pick.choice(self.deposits[len(ACCOUNTS) * len(ASSETS) - 1 :])
                reverse = system_pb2.ReverseCredit(**self._source(), deposit_id=deposit)
                return self.of_system(system(reverse_credit=reverse))
            case 2:
                out = system_pb2.ShardTransferOut(**self._source(), **shard)
                return self.of_system(system(shard_transfer_out=out))
            case 3:
                back = system_pb2.ShardTransferIn(**self._source(), **shard)
                return self.of_system(system(shard_transfer_in=back))
            case _:
                payer, receiver = pick.sample((account, 1, 2, 3), 2)
                adjust = system_pb2.Adjust(
                    **self._source(),
                    **fields,
                    adjustment_id=self.fresh_id(),
                    from_account_id=payer,
                    to_account_id=receiver,
                    first_approver="one",
                    second_approver="two",
                )
                return self.of_system(system(adjust=adjust))

    def freeze_or_kill(self) -> batch_pb2.Envelope:
        """A switch of an account, thrown and put back, or a market cleared and opened again."""
        if self.random.random() < 0.5:
            scope, target = system_pb2.KILL_SCOPE_ACCOUNT, self.random.choice(ACCOUNTS)
        else:
            scope, target = system_pb2.KILL_SCOPE_MARKET, self.random.choice(MARKETS)
        return self.of_system(
            *(
                system(kill_switch=system_pb2.KillSwitch(scope=scope, target_id=target, active=on))
                for on in (True, False)
            )
        )


def definitions() -> list[system_pb2.SystemCommand]:
    """Assets, two markets (one with a maker's rebate), two firms with four accounts."""
    commands = [
        system(create_asset=system_pb2.CreateAsset(asset_id=asset, symbol=f"A{asset}"))
        for asset in ASSETS
    ]
    for market, base, maker_fee_ppm in ((MARKETS[0], 1, 300), (MARKETS[1], 3, -200)):
        create = system_pb2.CreateMarket(
            market_id=market,
            symbol=f"M{market}",
            base_asset_id=base,
            quote_asset_id=2,
            lot_size_atoms=atoms(10),
            tick_size_atoms=atoms(7),
            parameters=system_pb2.MarketParameters(
                maker_fee_ppm=maker_fee_ppm, taker_fee_ppm=1_000
            ),
        )
        continuous = enums_pb2.MARKET_PHASE_CONTINUOUS
        phase = system_pb2.SetPhase(market_id=market, phase=continuous)
        commands += [system(create_market=create), system(set_phase=phase)]
    for firm in (1, 2):
        commands.append(system(create_firm=system_pb2.CreateFirm(firm_id=firm, name=f"F{firm}")))
    for account, firm, group in zip(ACCOUNTS, (1, 1, 1, 2), (7, 7, 0, 0), strict=True):
        create_account = system_pb2.CreateAccount(
            account_id=account, firm_id=firm, self_trade_group_id=group
        )
        commands.append(system(create_account=create_account))
    return commands


async def migrate(database: Database) -> None:
    """The schemas and the partitions of the shard."""
    await migrations.migrate(database.settings, MIGRATIONS)
    await prepare_shards(database, (SHARD,))


async def store(database: Database, rows: list[JournalRow]) -> None:
    """Puts rows into both tables of the journal."""
    async with database.transaction() as connection:
        for table in ("commands", "events"):
            await connection.executemany(
                INSERT.format(table),
                [
                    (
                        SHARD,
                        row.first_seq,
                        row.last_seq,
                        row.epoch,
                        row.time_ns,
                        getattr(row, table),
                        row.state_hash,
                        row.command_row_hash if table == "commands" else row.event_row_hash,
                    )
                    for row in rows
                ],
            )
