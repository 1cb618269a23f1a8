"""What several payouts store in one transaction, each with its own end: approved, sent, settled.

Called by `wallets.core.store` through `wallets.core.sharing`. Each function holds the payouts of
all pieces first; a piece whose claim was overtaken is Fenced and writes nothing, the others do. An
error that is not of one piece is raised, and then nothing is stored for any. No decisions here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from runtime.errors import Unavailable
from runtime.postgres import Connection
from wallets import limits
from wallets.books import postings
from wallets.contract import Approval, Confirmation, Payout, Plan, TransactionId
from wallets.core import attempts, batches, claims, fences, outbox
from wallets.core.attempts import StoredAttempt
from wallets.core.claims import Claim
from wallets.core.units import to_chain
from wallets.core.working import Work
from wallets.errors import Fenced
from wallets.states import ENDED_ATTEMPTS, AttemptState, PayoutState


@dataclass(frozen=True, slots=True)
class Approving:
    """The approver's word for attempt `number`; with `starts` the engine is asked for the start."""

    mine: Claim
    number: int
    approval: Approval
    fee_atoms_max: int
    starts: bool


@dataclass(frozen=True, slots=True)
class Planning:
    """A plan for payouts that were all claimed."""

    mine: Claim
    members: tuple[Claim, ...]
    plan: Plan
    payouts: tuple[Payout, ...]


@dataclass(frozen=True, slots=True)
class Signing:
    """Signed bytes; with `releases` a broadcast may follow at once."""

    mine: Claim
    attempt: StoredAttempt
    txid: TransactionId
    raw: bytes
    releases: bool


@dataclass(frozen=True, slots=True)
class Settling:
    """The attempt that the chain has for good."""

    mine: Claim
    winner: StoredAttempt
    work: Work
    found: Confirmation


End = Exception | None


async def approve(connection: Connection, pieces: Sequence[Approving]) -> list[End]:
    """Approvals, and where there is nothing in the way the engine's commands."""
    held = await batches.hold_all(connection, [(one.mine, None) for one in pieces], "")
    ours = [one for one, members in zip(pieces, held, strict=True) if isinstance(members, list)]
    if not ours:
        return ends_of(held)
    await connection.executemany(
        "insert into custody.approval "
        "(withdrawal_id, attempt_number, fee_atoms_max, approval, signature) "
        "values ($1, $2, $3, $4, $5)",
        [
            (
                one.mine.withdrawal_id,
                one.number,
                one.fee_atoms_max,
                one.approval.approval,
                one.approval.signature,
            )
            for one in ours
        ],
    )
    for starts in (False, True):
        for is_first in (False, True):
            members = [
                replace(one.mine, goes_on=one.mine.goes_on and not starts)
                for one in ours
                if one.starts is starts and is_first is (one.mine.state is PayoutState.REQUESTED)
            ]
            await claims.give_back(
                connection,
                members,
                # Only the engine's answer moves it then.
                pause_seconds=limits.NEVER_SECONDS if starts else 0.0,
                state=PayoutState.APPROVED if is_first else None,
            )
    await command(connection, "start", [one.mine for one in ours if one.starts])
    return ends_of(held)


async def plan(connection: Connection, pieces: Sequence[Planning]) -> list[End]:
    """Attempts with the inputs that they own. An input that is owned breaks the key."""
    ends: list[End] = []
    planned: list[Claim] = []
    everybody = [one for piece in pieces for one in piece.members]
    found = await batches.hold_claimed(connection, everybody)
    for piece in pieces:
        held = piece.plan.held
        if not found.issuperset(piece.members):
            ends.append(Fenced(f"payout {piece.mine.withdrawal_id.hex()} is another worker's"))
        elif held is not None and not await fences.is_held(connection, held):
            ends.append(Unavailable(f"another worker holds {held.name}"))
        else:
            await attempts.insert(connection, piece.mine, piece.plan, list(piece.payouts))
            planned += piece.members
            ends.append(None)
    await claims.give_back(connection, planned, state=PayoutState.BUILT)
    return ends


async def write_ahead(connection: Connection, pieces: Sequence[Signing]) -> list[End]:
    """Bytes of all, durable before any node hears of them."""
    wanted = [(one.mine, one.attempt.attempt_id) for one in pieces]
    held = await batches.hold_all(connection, wanted, "")
    ours = [
        (one, members)
        for one, members in zip(pieces, held, strict=True)
        if isinstance(members, list)
    ]
    if ours:
        await attempts.write_ahead_all(
            connection, [(one.attempt.attempt_id, one.txid, one.raw) for one, _ in ours]
        )
    released = [one.attempt.attempt_id for one, _ in ours if one.releases]
    sent = members_of(members for one, members in ours if one.releases)
    if released:
        await attempts.set_state_all(connection, released, AttemptState.BROADCAST)
        await claims.move(connection, sent, PayoutState.SIGNED)
        await claims.give_back(
            connection,
            sent,
            pause_seconds=limits.PAUSE_SECONDS,
            state=PayoutState.BROADCASTING,
        )
    kept = members_of(members for one, members in ours if not one.releases)
    await claims.give_back(connection, kept, state=PayoutState.SIGNED)
    return ends_of(held)


async def settle(connection: Connection, pieces: Sequence[Settling]) -> list[End]:
    """Paid: states, book and the engine's commands of all batches.

    The other attempts share an input with the one that is final: its proof is theirs.
    """
    wanted = [(one.mine, one.winner.attempt_id) for one in pieces]
    held = await batches.hold_all(connection, wanted, "")
    ours = [
        (one, members)
        for one, members in zip(pieces, held, strict=True)
        if isinstance(members, list)
    ]
    everybody = members_of(members for _, members in ours)
    if everybody:
        await _end_siblings(connection, ours)
        await attempts.move_all(connection, [one.winner for one, _ in ours], AttemptState.FINAL)
        freed = members_of(members for one, members in ours if one.work.anchors or len(members) > 1)
        if freed:
            await attempts.free_inputs(connection, [one.withdrawal_id for one in freed])
        await _post(connection, ours)
        before = members_of(
            members for one, members in ours if one.mine.state is not PayoutState.CONFIRMING
        )
        if before:
            await claims.move(connection, before, PayoutState.CONFIRMING)
        await claims.give_back(
            connection, everybody, pause_seconds=limits.PAUSE_SECONDS, state=PayoutState.SETTLED
        )
        await command(connection, "settle", everybody)
    return ends_of(held)


async def _end_siblings(
    connection: Connection, ours: Sequence[tuple[Settling, list[Claim]]]
) -> None:
    """Of each batch, the attempts that share what its winner has used up."""
    if all(len(members) == 1 and len(one.work.attempts) == 1 for one, members in ours):
        # One attempt for one payout, which we hold: there was never another.
        return
    for one, members in ours:
        ids = [member.withdrawal_id for member in members]
        for sibling in await attempts.read(connection, *ids):
            is_winner = sibling.attempt_id == one.winner.attempt_id
            if not is_winner and sibling.state not in ENDED_ATTEMPTS:
                proof = f"final is {one.found.txid}: ".encode() + one.found.proof
                await attempts.end(connection, sibling, AttemptState.DEAD, proof)


async def _post(connection: Connection, ours: Sequence[tuple[Settling, list[Claim]]]) -> None:
    """What left the hot wallet; whichever payout of a batch settles first books its cost, once."""
    fees = {one.winner.attempt_id: one.found.fee_atoms for one, _ in ours}
    first = await attempts.note_fees(connection, fees)
    transfers = [
        (
            one.mine.withdrawal_id,
            postings.of_network_fee(one.work.native_asset_id, one.found.fee_atoms),
        )
        for one, _ in ours
        if one.winner.attempt_id in first and one.found.fee_atoms
    ]
    transfers += [
        (member.withdrawal_id, paid(member, one.work))
        for one, members in ours
        for member in members
    ]
    await postings.post_all(connection, ours[0][0].mine.network_id, "settle", transfers)


def paid(mine: Claim, work: Work) -> list[postings.Entry]:
    """A payout in the book; a fee below the chain's unit is in the engine's books only."""
    charged = to_chain(
        mine.engine_fee_atoms, decimals=work.token.decimals, engine_decimals=work.engine_decimals
    )
    return postings.of_payout(mine.asset_id, mine.amount_atoms, charged or 0)


async def command(connection: Connection, kind: str, members: Sequence[Claim]) -> None:
    """Tells the engine; what follows waits for the numbers of a source, so this comes last."""
    for (network_id, shard), some in groupby(sorted(members, key=place_of), key=place_of):
        ids = [one.withdrawal_id for one in some]
        await outbox.put_all(connection, kind, ids, network_id=network_id, shard=shard)


def ends_of(held: Sequence[list[Claim] | Fenced]) -> list[End]:
    """Nothing to say of those that were held."""
    return [None if isinstance(members, list) else members for members in held]


def place_of(mine: Claim) -> tuple[int, int]:
    """Where its commands go."""
    return mine.network_id, mine.shard


def members_of(several: Iterable[list[Claim]]) -> list[Claim]:
    """Of all batches."""
    return [one for members in several for one in members]
