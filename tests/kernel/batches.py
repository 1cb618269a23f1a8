"""Batches for tests of `cambist_kernel.Engine`: a market, two accounts, limit orders."""

from collections.abc import Sequence
from typing import Final

from cambist.internal.journal.v1 import batch_pb2, system_pb2
from cambist.orders.v1 import commands_pb2
from cambist.orders.v1 import enums_pb2 as enums

SHARD: Final = 1
MARKET: Final = (SHARD << 16) + 1
BUYER: Final = 4_096
SELLER: Final = 4_097
RICH: Final = 10**15
START_NS: Final = 1_700_000_000_000_000_000


def amount(atoms: int) -> bytes:
    """Atoms as 16 bytes."""
    return atoms.to_bytes(16, "little", signed=True)


def batch(first_seq: int, envelopes: Sequence[batch_pb2.Envelope], time_ns: int = 0) -> bytes:
    """A batch, by default a microsecond later per command."""
    time_ns = time_ns or START_NS + first_seq * 1_000
    return batch_pb2.Batch(
        shard=SHARD, first_seq=first_seq, time_ns=time_ns, envelopes=envelopes
    ).SerializeToString()


def system(*commands: system_pb2.SystemCommand) -> batch_pb2.Envelope:
    """An envelope of class SYSTEM."""
    body = system_pb2.SystemCommands(commands=commands)
    return batch_pb2.Envelope(
        command_class=enums.COMMAND_CLASS_SYSTEM,
        count=len(commands),
        correlation=9,
        system_commands=body.SerializeToString(),
    )


def setup() -> bytes:
    """The first batch: two assets, a market, a firm, two accounts with money."""
    command = system_pb2.SystemCommand
    commands = [
        command(create_asset=system_pb2.CreateAsset(asset_id=1, symbol="BASE")),
        command(create_asset=system_pb2.CreateAsset(asset_id=2, symbol="QUOTE")),
        command(
            create_market=system_pb2.CreateMarket(
                market_id=MARKET,
                symbol="BASE-QUOTE",
                base_asset_id=1,
                quote_asset_id=2,
                lot_size_atoms=amount(1),
                tick_size_atoms=amount(1),
            )
        ),
        command(
            set_phase=system_pb2.SetPhase(market_id=MARKET, phase=enums.MARKET_PHASE_CONTINUOUS)
        ),
        command(create_firm=system_pb2.CreateFirm(firm_id=1, name="firm")),
    ]
    for number, account_id in enumerate((BUYER, SELLER)):
        limits = system_pb2.AccountLimits(open_orders_max=10_000, id_capacity=65_536)
        account = system_pb2.CreateAccount(account_id=account_id, firm_id=1, limits=limits)
        credit = system_pb2.Credit(
            source_id=1,
            source_seq=number + 1,
            deposit_id=bytes(15) + bytes([number]),
            account_id=account_id,
            asset_id=2 - number,
            amount_atoms=amount(RICH),
        )
        commands += [command(create_account=account), command(credit=credit)]
    return batch(1, [system(*commands)])


def order(
    seq: int, account_id: int, price_ticks: int, quantity_lots: int, tag: int = 0
) -> batch_pb2.Envelope:
    """A limit order as a UNARY envelope; the id is its number."""
    new_order = commands_pb2.NewOrder(
        cl_ord_id=seq.to_bytes(16, "big"),
        account_id=account_id,
        market_id=MARKET,
        side=enums.SIDE_BUY if account_id == BUYER else enums.SIDE_SELL,
        order_type=enums.ORDER_TYPE_LIMIT,
        time_in_force=enums.TIME_IN_FORCE_GTC,
        price_ticks=price_ticks,
        quantity_lots=quantity_lots,
        sent_time_ns=START_NS + seq * 1_000,
        tag=tag,
    )
    body = commands_pb2.Commands(commands=[commands_pb2.Command(new_order=new_order)])
    return batch_pb2.Envelope(
        command_class=enums.COMMAND_CLASS_UNARY, count=1, commands=body.SerializeToString()
    )


def orders(first_seq: int, count: int) -> bytes:
    """Many orders that rest, in one batch."""
    return batch(
        first_seq,
        [
            order(seq, BUYER if seq % 2 else SELLER, 1 + seq % 50 + (0 if seq % 2 else 100), 5)
            for seq in range(first_seq, first_seq + count)
        ],
    )
