"""What stands beside the kernel: the PyPI book `obook` and our reference engine, over one shape."""

import time
from typing import Final

from benchmarks.shapes import Operation, Shape, operations
from cambist.internal.journal.v1 import batch_pb2, system_pb2
from cambist.orders.v1 import commands_pb2, enums_pb2

SHARD: Final = 1
MARKET: Final = (SHARD << 16) + 1
# One account may have 10,000 open orders; the deepest shape has 42,000.
MAKERS: Final = 8
TAKER: Final = 4_096 + MAKERS
ACCOUNTS: Final = (*range(4_096, 4_096 + MAKERS), TAKER)
RICH: Final = 10**30
START_NS: Final = 1_700_000_000_000_000_000
BATCH: Final = 50


def obook_rate(shape: Shape, count: int, seed: int) -> float:
    """Messages per second of `obook`, events drained; its own ids are looked up on the way."""
    import obook

    ids: dict[int, int] = {}
    tape = list(operations(shape, count, seed))
    with obook.Book(4 * (shape.resting + count)) as book:
        for operation in tape[: shape.resting]:
            run_obook(book, operation, ids)
        book.events()
        started = time.perf_counter()
        for index, operation in enumerate(tape[shape.resting :]):
            run_obook(book, operation, ids)
            if index % 256 == 0:
                book.events()
        book.events()
        return count / (time.perf_counter() - started)


def run_obook(book: "object", operation: Operation, ids: dict[int, int]) -> None:
    """One operation on an obook.Book."""
    import obook

    assert isinstance(book, obook.Book)
    side = obook.BUY if operation.is_buy else obook.SELL
    if operation.kind == "cancel":
        book.cancel(ids.get(operation.order, 0), 1)
    elif operation.kind == "reduce":
        book.reduce(ids.get(operation.order, 0), operation.quantity_lots, 1)
    else:
        tif = obook.GTC if operation.kind == "new" else obook.IOC
        result = book.submit(
            1 if operation.kind == "new" else 2,
            side,
            operation.price_ticks,
            operation.quantity_lots,
            tif=tif,
        )
        ids[operation.order] = result.order_id


def reference_rate(shape: Shape, count: int, seed: int) -> float:
    """Commands per second of the reference engine, bytes in and bytes out."""
    from matching.reference import Engine

    engine = Engine(SHARD)
    engine.apply(setup_batch())
    tape = list(operations(shape, count, seed))
    for batch in batches(tape[: shape.resting], engine.last_seq):
        engine.apply(batch)
    measured = list(batches(tape[shape.resting :], engine.last_seq))
    started = time.perf_counter()
    for batch in measured:
        engine.apply(batch)
    return count / (time.perf_counter() - started)


def setup_batch() -> bytes:
    """A market and accounts with all the money."""
    commands = [
        system_pb2.SystemCommand(
            create_asset=system_pb2.CreateAsset(asset_id=index + 1, symbol=symbol, decimals=8)
        )
        for index, symbol in enumerate(("BASE", "QUOTE"))
    ]
    one = (10**8).to_bytes(16, "little")
    market = system_pb2.CreateMarket(
        market_id=MARKET,
        symbol="BASE-QUOTE",
        base_asset_id=1,
        quote_asset_id=2,
        lot_size_atoms=one,
        tick_size_atoms=one,
        parameters=system_pb2.MarketParameters(taker_fee_ppm=500, maker_fee_ppm=100),
    )
    continuous = enums_pb2.MARKET_PHASE_CONTINUOUS
    commands += [
        system_pb2.SystemCommand(create_market=market),
        system_pb2.SystemCommand(set_phase=system_pb2.SetPhase(market_id=MARKET, phase=continuous)),
        system_pb2.SystemCommand(create_firm=system_pb2.CreateFirm(firm_id=1, name="firm")),
    ]
    source_seq = 0
    for account_id in ACCOUNTS:
        account = system_pb2.CreateAccount(
            account_id=account_id,
            firm_id=1,
            limits=system_pb2.AccountLimits(open_orders_max=10_000, id_capacity=65_536),
        )
        commands.append(system_pb2.SystemCommand(create_account=account))
        for asset_id in (1, 2):
            source_seq += 1
            credit = system_pb2.Credit(
                source_id=1,
                source_seq=source_seq,
                deposit_id=source_seq.to_bytes(16, "big"),
                account_id=account_id,
                asset_id=asset_id,
                amount_atoms=RICH.to_bytes(16, "little"),
            )
            commands.append(system_pb2.SystemCommand(credit=credit))
    envelope = batch_pb2.Envelope(
        command_class=enums_pb2.COMMAND_CLASS_SYSTEM,
        count=len(commands),
        received_ns=START_NS,
        system_commands=system_pb2.SystemCommands(commands=commands).SerializeToString(),
    )
    batch = batch_pb2.Batch(shard=SHARD, first_seq=1, time_ns=START_NS, envelopes=[envelope])
    return batch.SerializeToString()


def batches(tape: list[Operation], last_seq: int) -> list[bytes]:
    """Operations as batches of UNARY envelopes."""
    made = []
    for start in range(0, len(tape), BATCH):
        part = tape[start : start + BATCH]
        time_ns = START_NS + (last_seq + start + 1) * 1_000
        envelopes = [
            batch_pb2.Envelope(
                command_class=enums_pb2.COMMAND_CLASS_UNARY,
                count=1,
                received_ns=time_ns,
                commands=commands_pb2.Commands(
                    commands=[command_of(operation, last_seq + start + index + 1)]
                ).SerializeToString(),
            )
            for index, operation in enumerate(part)
        ]
        batch = batch_pb2.Batch(
            shard=SHARD, first_seq=last_seq + start + 1, time_ns=time_ns, envelopes=envelopes
        )
        made.append(batch.SerializeToString())
    return made


def command_of(operation: Operation, seq: int) -> commands_pb2.Command:
    """An operation as a command; ids of orders come from their numbers."""
    sent_time_ns = START_NS + seq * 1_000
    account_id = ACCOUNTS[operation.order % MAKERS]
    target = operation.order.to_bytes(16, "big")
    if operation.kind == "cancel":
        cancel = commands_pb2.Cancel(
            request_id=(1 << 100 | seq).to_bytes(16, "big"),
            account_id=account_id,
            orig_cl_ord_id=target,
            sent_time_ns=sent_time_ns,
        )
        return commands_pb2.Command(cancel=cancel)
    if operation.kind == "reduce":
        amend = commands_pb2.Amend(
            request_id=(1 << 100 | seq).to_bytes(16, "big"),
            account_id=account_id,
            orig_cl_ord_id=target,
            quantity_lots=operation.quantity_lots,
            sent_time_ns=sent_time_ns,
        )
        return commands_pb2.Command(amend=amend)
    is_new = operation.kind == "new"
    order = commands_pb2.NewOrder(
        cl_ord_id=target,
        account_id=account_id if is_new else TAKER,
        market_id=MARKET,
        side=enums_pb2.SIDE_BUY if operation.is_buy else enums_pb2.SIDE_SELL,
        order_type=enums_pb2.ORDER_TYPE_LIMIT,
        time_in_force=enums_pb2.TIME_IN_FORCE_GTC if is_new else enums_pb2.TIME_IN_FORCE_IOC,
        price_ticks=max(1, operation.price_ticks),
        quantity_lots=operation.quantity_lots,
        sent_time_ns=sent_time_ns,
    )
    return commands_pb2.Command(new_order=order)
