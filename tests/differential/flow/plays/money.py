"""Plays of money: transfers, withdrawals, deposits, other shards, adjustments, sources."""

from collections.abc import Iterator
from typing import Final

from google.protobuf.message import Message

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from tests.differential.flow.flow import CUSTODY_SOURCES, Flow
from tests.differential.flow.messages import amount
from tests.differential.flow.world import AMOUNT_ATOMS_MAX, BTC, GIANT, JPY, USDT

BAD_AMOUNTS: Final = (0, -1, AMOUNT_ATOMS_MAX + 1, -(1 << 127))
STEPS: Final = (
    system.StartWithdrawal,
    system.SettleWithdrawal,
    system.ReleaseWithdrawal,
    system.ReopenWithdrawal,
    system.FinalizeWithdrawal,
)


def transfer(flow: Flow, payer: int, receiver: int, asset: int, atoms: int) -> commands.Transfer:
    """A transfer."""
    return commands.Transfer(
        request_id=flow.new_id(),
        account_id=payer,
        to_account_id=receiver,
        asset_id=asset,
        amount_atoms=amount(atoms),
        sent_time_ns=flow.sent_time(),
    )


def withdrawal(
    flow: Flow, account_id: int, asset: int, atoms: int, fee: int
) -> commands.RequestWithdrawal:
    """A request that custody would pay."""
    return commands.RequestWithdrawal(
        request_id=flow.new_id(),
        account_id=account_id,
        asset_id=asset,
        network_id=flow.random.randrange(4),
        amount_atoms=amount(atoms),
        fee_atoms=amount(fee),
        destination=flow.random.choice(("bc1q", "0x" + "ab" * 20, "Ünïcödé ₿", "x" * 128)),
        quote_expires_ns=flow.random.choice((0, flow.now, flow.now + 5)),
        sent_time_ns=flow.sent_time(),
    )


def transfers(flow: Flow) -> None:
    """Good transfers and every refusal."""
    good = transfer(flow, 4_096, 4_098, USDT, flow.random.randrange(1, 10**9))
    bodies = [
        good,
        transfer(flow, 4_096, 4_096, USDT, 1),
        transfer(flow, 4_096, 1, USDT, 1),
        transfer(flow, 4_096, 31_337, USDT, 1),
        transfer(flow, 4_096, 5_000, USDT, 1),
        transfer(flow, 4_096, 4_098, 404, 1),
        transfer(flow, 4_096, 4_098, BTC, flow.random.choice(BAD_AMOUNTS)),
        transfer(flow, 4_103, 4_100, BTC, 10**17),
        transfer(flow, 4_100, 4_103, JPY, 1),
    ]
    for body in flow.random.sample(bodies, 6):
        flow.firm(body)


def withdrawals(flow: Flow) -> None:
    """Requests that are held, and every refusal."""
    asset, account_id = flow.random.choice((BTC, USDT, JPY)), flow.account_of().account_id
    for _ in range(2):
        good = withdrawal(flow, account_id, asset, flow.random.randrange(1, 10**6), 7)
        flow.firm(good)
        if not good.quote_expires_ns or good.quote_expires_ns >= flow.now:
            flow.model.withdrawals.put(good.request_id, good.request_id)
    again = withdrawal(flow, 4_101, asset, 5, 0)
    again.request_id = flow.model.withdrawals.draw(flow.random) or flow.new_id()
    late = withdrawal(flow, account_id, asset, 5, 0)
    late.quote_expires_ns = flow.now - 1
    for body in (
        again,
        late,
        withdrawal(flow, account_id, 404, 5, 0),
        withdrawal(flow, account_id, asset, flow.random.choice(BAD_AMOUNTS), 0),
        withdrawal(flow, account_id, asset, 5, -1),
        withdrawal(flow, account_id, asset, 5, AMOUNT_ATOMS_MAX + 1),
        withdrawal(flow, 4_103, asset, 10**18, 10**3),
    ):
        if flow.random.random() < 0.6:
            flow.firm(body)


def life_of_a_withdrawal(flow: Flow) -> Iterator[None]:
    """A withdrawal goes through its states, with every wrong step on the way."""
    wanted = withdrawal(flow, flow.account_of().account_id, USDT, 10**6, 11)
    wanted.quote_expires_ns = 0
    flow.firm(wanted)
    yield
    for _ in range(3):
        order = [STEPS[0], STEPS[1], STEPS[3], STEPS[1]]
        if flow.random.random() < 0.5:
            order = flow.random.sample(STEPS, 4)
        steps = [step(withdrawal_id=wanted.request_id) for step in order]
        flow.venue(*steps)
        if flow.random.random() < 0.5:
            yield
    flow.venue(
        system.ReleaseWithdrawal(withdrawal_id=wanted.request_id),
        system.FinalizeWithdrawal(withdrawal_id=wanted.request_id),
    )


def steps_of_withdrawals(flow: Flow) -> None:
    """Custody moves the withdrawals there are by one step each, and some that are not."""
    for _ in range(5):
        name = flow.model.withdrawals.draw(flow.random) or flow.new_id()
        step = flow.random.choice(STEPS)
        flow.venue(step(withdrawal_id=name))
        if step is system.FinalizeWithdrawal and flow.random.random() < 0.5:
            flow.model.withdrawals.drop(name)
    flow.venue(system.StartWithdrawal(withdrawal_id=flow.new_id()))


def start_is_refused(flow: Flow) -> None:
    """StartWithdrawal of a frozen, a killed and an overdrawn account."""
    account_id = flow.account_of().account_id
    plan = next(a for a in flow.world.accounts if a.account_id == account_id)
    limits = system.AccountLimits(
        open_orders_max=plan.open_orders_max, id_capacity=plan.id_capacity
    )
    wanted = withdrawal(flow, account_id, BTC, 3, 0)
    wanted.quote_expires_ns = 0
    flow.firm(wanted)
    kill = system.KillSwitch(scope=system.KILL_SCOPE_ACCOUNT, target_id=account_id, active=True)
    off = system.KillSwitch(scope=system.KILL_SCOPE_ACCOUNT, target_id=account_id)
    flow.venue(
        system.SetAccountLimits(account_id=account_id, limits=limits, frozen=True),
        system.StartWithdrawal(withdrawal_id=wanted.request_id),
    )
    flow.firm(withdrawal(flow, account_id, BTC, 3, 0))
    flow.firm(transfer(flow, account_id, 4_096, BTC, 3))
    flow.venue(
        system.SetAccountLimits(account_id=account_id, limits=limits),
        kill,
        system.StartWithdrawal(withdrawal_id=wanted.request_id),
    )
    flow.firm(withdrawal(flow, account_id, BTC, 3, 0))
    flow.firm(transfer(flow, account_id, 4_097, BTC, 3))
    flow.venue(off)


def deposits(flow: Flow) -> Iterator[None]:
    """Credits, reversals, finals: good ones, repeated ones, to nobody, of nothing."""
    asset = flow.random.choice((BTC, USDT, JPY))
    credit = flow.credit(flow.account().account_id, asset, flow.random.randrange(1, 10**6))
    unknown = flow.credit(flow.random.choice((2, 4_095, 31_337)), asset, 77)
    flow.venue(credit, unknown)
    if flow.random.random() < 0.4:
        yield
    bodies: list[Message] = []
    for original in (credit, unknown):
        same, other = system.Credit(), system.Credit()
        same.CopyFrom(original)
        other.CopyFrom(original)
        other.amount_atoms = amount(78)
        moved = system.Credit()
        moved.CopyFrom(original)
        moved.account_id = 4_100
        reverse = system.ReverseCredit(deposit_id=original.deposit_id)
        bodies += [same, other, moved, reverse, reverse]
    bodies += [
        system.ReverseCredit(deposit_id=flow.new_id()),
        system.FinalizeCredit(deposit_id=flow.new_id()),
        system.FinalizeCredit(deposit_id=flow.model.deposits.draw(flow.random) or flow.new_id()),
        flow.credit(4_096, 404, 5),
        flow.credit(4_096, asset, flow.random.choice(BAD_AMOUNTS)),
    ]
    flow.random.shuffle(bodies)
    for body in bodies[:8]:
        copy = type(body)()
        copy.CopyFrom(body)
        flow.venue(copy)


def overdrawn_account(flow: Flow) -> Iterator[None]:
    """A deposit is spent and then reversed: the account is below zero until it is credited."""
    poor = 5_003
    credit = flow.credit(poor, JPY, 1_000)
    flow.venue(credit)
    flow.firm(transfer(flow, poor, 5_000, JPY, 900))
    wanted = withdrawal(flow, poor, JPY, 50, 1)
    wanted.quote_expires_ns = 0
    flow.firm(wanted)
    flow.venue(system.ReverseCredit(deposit_id=credit.deposit_id))
    flow.venue(system.StartWithdrawal(withdrawal_id=wanted.request_id))
    flow.firm(transfer(flow, poor, 5_000, JPY, 1))
    yield
    flow.venue(flow.credit(poor, JPY, 10_000))


def numbers_of_sources(flow: Flow) -> None:
    """Repeats, gaps, source zero."""
    source_id = flow.random.choice(CUSTODY_SOURCES)
    last = flow.model.sources.get(source_id, 0)
    for source, number in (
        (source_id, last),
        (source_id, last + 2),
        (source_id, 0),
        (source_id, (1 << 64) - 1),
        (0, 1),
        (1_000_000 + flow.random.randrange(3), 5),
    ):
        flow.venue(
            system.Credit(
                source_id=source,
                source_seq=number,
                deposit_id=flow.new_id(),
                account_id=4_096,
                asset_id=USDT,
                amount_atoms=amount(1),
            )
        )


def other_shards(flow: Flow) -> None:
    """Money leaves for other shards and comes from them."""
    account_id, asset = flow.account().account_id, flow.random.choice((BTC, USDT, JPY))
    atoms = flow.random.randrange(1, 10**6)
    changes: list[dict[str, int | bytes]] = [
        {},
        {"peer_shard": 0},
        {"peer_shard": 4_000},
        {"peer_shard": 4_001},
        {"account_id": 31_337},
        {"account_id": 1},
        {"asset_id": 404},
        {"amount_atoms": amount(flow.random.choice(BAD_AMOUNTS))},
        {"account_id": 4_103, "amount_atoms": amount(10**19)},
    ]
    for fields in flow.random.sample(changes, 5):
        for kind in (system.ShardTransferOut, system.ShardTransferIn):
            message = kind(
                peer_shard=3, account_id=account_id, asset_id=asset, amount_atoms=amount(atoms)
            )
            for name, value in fields.items():
                setattr(message, name, value)
            flow.venue(message)


def adjustments(flow: Flow) -> None:
    """Adjustments between accounts of every kind."""
    accounts = (1, 2, 3, 4, 4_096, 5_000, 1 << 40)
    changes: list[dict[str, int | bytes | str]] = [
        {},
        {},
        {"from_account_id": 4_103, "amount_atoms": amount(10**19)},
        {"second_approver": "first"},
        {"from_account_id": 4_096, "to_account_id": 4_096},
        {"from_account_id": 17},
        {"to_account_id": 31_337},
        {"to_account_id": 0},
        {"asset_id": 404},
        {"amount_atoms": amount(flow.random.choice(BAD_AMOUNTS))},
    ]
    for fields in flow.random.sample(changes, 4):
        payer, receiver = flow.random.sample(accounts, 2)
        message = system.Adjust(
            adjustment_id=flow.new_id(),
            from_account_id=payer,
            to_account_id=receiver,
            asset_id=flow.random.choice((BTC, USDT, JPY)),
            amount_atoms=amount(flow.random.randrange(1, 10**5)),
            first_approver="first",
            second_approver="second ✓",
        )
        for name, value in fields.items():
            setattr(message, name, value)
        flow.venue(message)


def balances_at_their_bound(flow: Flow) -> Iterator[None]:
    """One asset is filled up to 2^126: every way to add to it is refused."""
    for _ in range(2):
        if not flow.is_giant_paid:
            flow.venue(*(flow.credit(5_000, GIANT, AMOUNT_ATOMS_MAX) for _ in range(34)))
    flow.is_giant_paid = True
    yield
    flow.venue(flow.credit(5_000, GIANT, AMOUNT_ATOMS_MAX))
    message = system.ShardTransferIn(
        peer_shard=9, account_id=5_000, asset_id=GIANT, amount_atoms=amount(AMOUNT_ATOMS_MAX)
    )
    for _ in range(2):
        again = system.ShardTransferIn()
        again.CopyFrom(message)
        flow.venue(again)
    flow.firm(transfer(flow, 5_000, 5_001, GIANT, AMOUNT_ATOMS_MAX))
    flow.firm(transfer(flow, 5_001, 5_000, GIANT, AMOUNT_ATOMS_MAX))
    for payer, receiver in ((2, 5_000), (5_000, 1), (1, 5_000)):
        flow.venue(
            system.Adjust(
                adjustment_id=flow.new_id(),
                from_account_id=payer,
                to_account_id=receiver,
                asset_id=GIANT,
                amount_atoms=amount(AMOUNT_ATOMS_MAX),
                first_approver="a",
                second_approver="b",
            )
        )
        yield


PLAYS: Final = (
    transfers,
    withdrawals,
    life_of_a_withdrawal,
    steps_of_withdrawals,
    start_is_refused,
    deposits,
    overdrawn_account,
    numbers_of_sources,
    other_shards,
    adjustments,
    balances_at_their_bound,
)
