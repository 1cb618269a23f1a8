"""Order flow made before the clock runs: encoded batches of a calibrated mix for one session.

Of the commands 50 % are new orders (15 % of them IOC that trade), 40 % cancels, 10 % amendments.
Cancels name orders that are older than what can be on its way, so that they find them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from cambist.client.enums import CommandClass
from cambist.client.raw import RawBatch
from cambist.orders.v1 import commands_pb2, enums_pb2
from venue.flow.definitions import MARKETS

IOC_SHARE: Final = 0.15
AMEND_SHARE: Final = 1 / 6
# Nanoseconds between the times of two commands: ids are forgotten in this order.
TIME_STEP_NS: Final = 1_000
# Of five batches, which are of class CANCEL.
CANCEL_PLACES: Final = frozenset({1, 3})


@dataclass(slots=True)
class Tape:
    """The flow of one session. `batches` may be asked again and goes on."""

    session: int
    run: int
    account_ids: Sequence[int]
    batch: int
    # Orders that are younger than this many commands are not cancelled.
    lag: int
    start_ns: int
    step: int = 0

    def batches(self, count: int) -> Iterator[RawBatch]:
        """Encoded batches of `count` commands in all."""
        random = Random(f"{self.session}/{self.run}")
        resting: list[tuple[int, bytes, int]] = []
        place = made = 0
        while made < count:
            is_cancel = place % 5 in CANCEL_PLACES and self._is_old(resting, self.batch)
            place += 1
            body = commands_pb2.Commands()
            for _ in range(self.batch):
                if is_cancel and self._is_old(resting, 1):
                    self._cancel(body, random, resting)
                elif not is_cancel and resting and random.random() < AMEND_SHARE:
                    self._amend(body, random, resting)
                elif not is_cancel:
                    self._new(body, random, resting)
            if not body.commands:
                continue
            made += len(body.commands)
            kind = CommandClass.CANCEL if is_cancel else CommandClass.ORDER
            yield RawBatch(kind, len(body.commands), body.SerializeToString())

    def _is_old(self, resting: list[tuple[int, bytes, int]], count: int) -> bool:
        return len(resting) > count and self.step - resting[count - 1][0] > self.lag

    def _next(self) -> tuple[bytes, int]:
        self.step += 1
        head = (self.session << 32 | self.run & 0xFFFFFFFF).to_bytes(8, "big")
        return head + self.step.to_bytes(8, "big"), self.start_ns + self.step * TIME_STEP_NS

    def _new(
        self, body: commands_pb2.Commands, random: Random, resting: list[tuple[int, bytes, int]]
    ) -> None:
        command_id, time_ns = self._next()
        market = MARKETS[random.randrange(len(MARKETS))]
        is_buy, is_taker = random.random() < 0.5, random.random() < IOC_SHARE
        account_id = self.account_ids[-1 if is_taker else self.step % (len(self.account_ids) - 1)]
        # Makers stay on their side of the middle, takers cross it by a little.
        distance = -random.randrange(1, 200) if not is_taker else random.randrange(5, 60)
        body.commands.add().new_order.CopyFrom(
            commands_pb2.NewOrder(
                cl_ord_id=command_id,
                account_id=account_id,
                market_id=market.market_id,
                side=enums_pb2.SIDE_BUY if is_buy else enums_pb2.SIDE_SELL,
                order_type=enums_pb2.ORDER_TYPE_LIMIT,
                time_in_force=(
                    enums_pb2.TIME_IN_FORCE_IOC if is_taker else enums_pb2.TIME_IN_FORCE_GTC
                ),
                price_ticks=market.middle_ticks + (distance if is_buy else -distance),
                quantity_lots=random.randrange(40, 160) if is_taker else random.randrange(50, 150),
                sent_time_ns=time_ns,
            )
        )
        if not is_taker:
            resting.append((self.step, command_id, account_id))

    def _cancel(
        self, body: commands_pb2.Commands, random: Random, resting: list[tuple[int, bytes, int]]
    ) -> None:
        """Cancels one of the old orders; the list stays nearly in order of age."""
        old = min(len(resting), self.batch * 4)
        index = random.randrange(old)
        while index and self.step - resting[index][0] <= self.lag:
            index //= 2
        _, target, account_id = resting.pop(index)
        command_id, time_ns = self._next()
        body.commands.add().cancel.CopyFrom(
            commands_pb2.Cancel(
                request_id=command_id,
                account_id=account_id,
                orig_cl_ord_id=target,
                sent_time_ns=time_ns,
            )
        )

    def _amend(
        self, body: commands_pb2.Commands, random: Random, resting: list[tuple[int, bytes, int]]
    ) -> None:
        _, target, account_id = resting[random.randrange(len(resting))]
        command_id, time_ns = self._next()
        body.commands.add().amend.CopyFrom(
            commands_pb2.Amend(
                request_id=command_id,
                account_id=account_id,
                orig_cl_ord_id=target,
                quantity_lots=random.randrange(30, 120),
                sent_time_ns=time_ns,
            )
        )
