"""Which coins pay a transaction. Pure: called by the builder with coins that it has leased.

Three ways are tried and the least wasteful result wins: branch and bound for a set that needs no
change, a knapsack over random subsets, and the largest coins first, which finds a set whenever one
within the limit of inputs exists. Every loop has a limit, so that a flood of dust costs nothing.

Effective value, branch and bound and waste are those of Bitcoin Core's coin selection (M. Erhardt,
"An Evaluation of Coin Selection Strategies", 2016). Amounts are satoshi, sizes are weight units,
fee rates satoshi per 1,000 virtual bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from wallets.errors import Condition, Stuck

WEIGHT_PER_KILOBYTE: Final = 4_000
# Steps of the search for a set without change: about 20 ms.
SEARCH_STEPS_MAX: Final = 30_000
# Random subsets tried, and coins in each: the largest of those below the target.
KNAPSACK_PASSES: Final = 40
KNAPSACK_COINS_MAX: Final = 400


@dataclass(frozen=True, slots=True)
class Coin:
    """An output of ours that can be spent. `input_weight` is that of the input that spends it."""

    outpoint: str
    amount_atoms: int
    input_weight: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What is to be paid, and what inputs and change cost."""

    # Sum of the outputs to others.
    target_atoms: int
    # Weight of everything but inputs and change.
    base_weight: int
    fee_rate: int
    # What an input is expected to cost later: below it, spending now is a gain.
    long_term_fee_rate: int
    change_weight: int
    # Weight of the input that will spend the change.
    change_input_weight: int
    # A change below this is not made; it goes to the fee.
    dust_atoms: int
    inputs_max: int


@dataclass(frozen=True, slots=True)
class Selection:
    """The coins, and where their sum goes: target + fee + change."""

    coins: tuple[Coin, ...]
    # 0 = no change output.
    change_atoms: int
    fee_atoms: int
    waste_atoms: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A coin with what it brings after its own cost."""

    coin: Coin
    effective_atoms: int
    # Cost now less expected cost later.
    waste_atoms: int


def fee_of(weight: int, fee_rate: int) -> int:
    """Fee of a weight, rounded up."""
    return -(-weight * fee_rate // WEIGHT_PER_KILOBYTE)


def select(
    coins: Sequence[Coin], terms: Terms, random: Random, required: Sequence[Coin] = ()
) -> Selection:
    """The least wasteful selection; `required` coins (anchors of conflicts) are always in it.

    Raises Stuck(HOT_WALLET_UNFUNDED) when the coins do not suffice, or would only with more inputs
    than allowed.
    """
    fixed = candidates(required, terms)
    taken = {coin.outpoint for coin in required}
    free = candidates([coin for coin in coins if coin.outpoint not in taken], terms)
    free = [found for found in free if found.effective_atoms > 0]
    free.sort(key=lambda found: (-found.effective_atoms, found.coin.outpoint))
    wanted = terms.target_atoms + fee_of(terms.base_weight, terms.fee_rate)
    missing = wanted - sum(found.effective_atoms for found in fixed)
    room = terms.inputs_max - len(fixed)
    largest = largest_first(free, missing, room)
    change_cost = fee_of(terms.change_weight, terms.fee_rate) + fee_of(
        terms.change_input_weight, terms.long_term_fee_rate
    )
    found = [largest, smallest_single(free, missing, room)]
    found.append(without_change(free, missing, change_cost, room))
    found.append(knapsack(free, missing, change_cost + terms.dust_atoms, room, random))
    done = [finish([*fixed, *chosen], wanted, terms) for chosen in found if chosen is not None]
    return min(done, key=lambda selection: (selection.waste_atoms, len(selection.coins)))


def candidates(coins: Sequence[Coin], terms: Terms) -> list[Candidate]:
    """What each coin brings; inputs of one weight cost the same."""
    costs = {
        weight: (fee_of(weight, terms.fee_rate), fee_of(weight, terms.long_term_fee_rate))
        for weight in {coin.input_weight for coin in coins}
    }
    found = []
    for coin in coins:
        now, later = costs[coin.input_weight]
        found.append(Candidate(coin, coin.amount_atoms - now, now - later))
    return found


def finish(chosen: Sequence[Candidate], wanted: int, terms: Terms) -> Selection:
    """Decides on the change and says where everything goes."""
    coins = tuple(found.coin for found in chosen)
    excess = sum(found.effective_atoms for found in chosen) - wanted
    assert excess >= 0, "a selection pays what is wanted"
    change = excess - fee_of(terms.change_weight, terms.fee_rate)
    waste = sum(found.waste_atoms for found in chosen)
    if change >= max(1, terms.dust_atoms):
        waste += excess - change + fee_of(terms.change_input_weight, terms.long_term_fee_rate)
    else:
        change = 0
        waste += excess
    fee = sum(coin.amount_atoms for coin in coins) - terms.target_atoms - change
    return Selection(coins, change, fee, waste)


def largest_first(free: Sequence[Candidate], missing: int, room: int) -> list[Candidate]:
    """The fewest inputs. Raises Stuck when even the largest coins do not suffice."""
    chosen: list[Candidate] = []
    for found in free[: max(0, room)]:
        if missing <= 0:
            break
        chosen.append(found)
        missing -= found.effective_atoms
    if missing > 0 or room < 0:
        total = sum(found.effective_atoms for found in free)
        raise Stuck(
            Condition.HOT_WALLET_UNFUNDED,
            f"{missing} satoshi short with {max(0, room)} inputs; {len(free)} coins hold {total}",
        )
    return chosen


def smallest_single(free: Sequence[Candidate], missing: int, room: int) -> list[Candidate] | None:
    """The smallest coin that suffices alone."""
    if missing <= 0 or room < 1:
        return None
    found = [one for one in free if one.effective_atoms >= missing]
    return [found[-1]] if found else None


def without_change(
    free: Sequence[Candidate], missing: int, change_cost: int, room: int
) -> list[Candidate] | None:
    """Branch and bound: the least wasteful set that overshoots by less than a change costs.

    Depth first over coins from the largest down; a branch ends when it overshoots, cannot reach
    any more, or wastes more than the best so far. None when nothing fits within the steps.
    """
    if missing <= 0:
        return None
    left = [0] * (len(free) + 1)
    for place in range(len(free) - 1, -1, -1):
        left[place] = left[place + 1] + free[place].effective_atoms
    best: list[int] | None = None
    best_waste = change_cost + 1 + sum(max(0, one.waste_atoms) for one in free[:room])
    chosen: list[int] = []
    total = waste = 0
    place = 0
    for _ in range(SEARCH_STEPS_MAX):
        excess = total - missing
        if excess >= 0 and excess <= change_cost and waste + excess < best_waste:
            best, best_waste = chosen.copy(), waste + excess
        is_dead = excess >= 0 or len(chosen) >= room or total + left[place] < missing
        if is_dead or place == len(free):
            if not chosen:
                break
            # Leave out the coin that was taken last, and those of equal value after it.
            place = chosen.pop()
            total -= free[place].effective_atoms
            waste -= free[place].waste_atoms
            value = free[place].effective_atoms
            place += 1
            while place < len(free) and free[place].effective_atoms == value:
                place += 1
            continue
        chosen.append(place)
        total += free[place].effective_atoms
        waste += free[place].waste_atoms
        place += 1
    return None if best is None else [free[index] for index in best]


def knapsack(
    free: Sequence[Candidate], missing: int, margin: int, room: int, random: Random
) -> list[Candidate] | None:
    """The random subset of smaller coins that comes closest above the target and a change."""
    if missing <= 0:
        return None
    wanted = missing + margin
    smaller = [one for one in free if one.effective_atoms < wanted][:KNAPSACK_COINS_MAX]
    if sum(one.effective_atoms for one in smaller) < wanted:
        return None
    best: list[Candidate] | None = None
    best_total = 0
    for _ in range(KNAPSACK_PASSES):
        chosen: list[Candidate] = []
        total = 0
        # First about every second coin, then those that were left out.
        halves: tuple[list[Candidate], list[Candidate]] = ([], [])
        for one in smaller:
            halves[random.getrandbits(1)].append(one)
        for one in (*halves[0], *halves[1]):
            if len(chosen) == room or total >= wanted:
                break
            chosen.append(one)
            total += one.effective_atoms
        if total >= wanted and (best is None or total < best_total):
            best, best_total = chosen, total
    return best
