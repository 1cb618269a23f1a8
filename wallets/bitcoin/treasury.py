"""The venue's own transfers on Bitcoin: hot to cold, cold to hot, and many small coins into one.

Called by `wallets.treasury`. It plans and stores nothing. Hot to cold is an intent that the signer
takes for its listed addresses only; cold to hot is a transaction for people's keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from cambist.internal.signer.v1 import intent_pb2
from runtime.postgres import Database
from wallets.bitcoin import addresses, children, coins, merging, planning, psbt
from wallets.bitcoin.adapter import COINS_MAX, BitcoinSettings
from wallets.bitcoin.coin_selection import Coin, Terms, fee_of, select
from wallets.bitcoin.coins import OwnCoin
from wallets.bitcoin.cold import BRANCH, ColdWallet, parse_cold
from wallets.bitcoin.networks import BitcoinNetwork
from wallets.bitcoin.node_set import NodeSet
from wallets.bitcoin.replacement import atoms_of, pool_entry
from wallets.bitcoin.wire import Input, Output, Transaction, parse_transaction
from wallets.contract import Destination, Network, Payout, Plan, Token, TransactionId, WithdrawalId
from wallets.errors import Condition, Rejected, Stuck
from wallets.treasury import bounds
from wallets.treasury.ports import ColdPlan, ColdSigned

COLD_KEYS: Final = """
select scheme, extended_public_key from custody.key_branch
where network_id = $1 and branch = $2 and not retired order by generation desc limit 1
"""
COLD_COINS: Final = """
select coin.outpoint, coin.amount_atoms, address.branch, address.path_index
from custody.bitcoin_coin coin join custody.address using (network_id, key)
where coin.network_id = $1 and coin.spent_height is null and address.branch = $2
    and not coin.outpoint = any($3::text[])
order by coin.amount_atoms desc, coin.outpoint limit $4
"""
PLACE: Final = """
select key from custody.address where network_id = $1 and branch = $2 and path_index = $3
"""
COLD_PLACE: Final = """
select path_index from custody.address where network_id = $1 and branch = $2
order by path_index limit 1
"""
SPENT: Final = """
select coin.outpoint, coin.amount_atoms, address.path_index
from custody.bitcoin_coin coin join custody.address using (network_id, key)
where coin.network_id = $1 and coin.outpoint = any($2::text[])
"""
INPUTS_MAX: Final = 500
# P2WPKH, and P2WSH with its longer program.
COLD_OUTPUT_WEIGHT: Final = 4 * (8 + 1 + 34)
HOT_OUTPUT_WEIGHT: Final = 4 * (8 + 1 + 22)


@dataclass(frozen=True, slots=True)
class BitcoinTreasury:
    """One network's hot and cold coins."""

    network: Network
    chain: BitcoinNetwork
    nodes: NodeSet
    database: Database
    settings: BitcoinSettings
    random: Random

    async def hot_atoms(self, owned: frozenset[str]) -> int:
        """What payouts could spend now. Raises Unavailable."""
        return sum(coin.amount_atoms for coin in await self._hot(owned))

    async def cold_address(self, index: int) -> Destination:
        """A place of the cold wallet. Raises Rejected."""
        script = (await self._cold()).at(index).output
        return Destination(addresses.address_of(script, self.chain), script)

    async def plan_to_cold(
        self, intent_id: bytes, amount_atoms: int, fee_atoms_max: int, owned: frozenset[str]
    ) -> Plan:
        """Pays the cold wallet's first address. Raises Stuck, Rejected, Unavailable."""
        cold = await self.cold_address(await self._cold_index())
        payout = Payout(WithdrawalId(b""), cold, Token(0, b"", 8), amount_atoms)
        return await self._internal(intent_id, payout, await self._hot(owned), fee_atoms_max)

    async def plan_merge(self, intent_id: bytes, owned: frozenset[str]) -> tuple[Plan, int] | None:
        """Many small coins into one at the change address, with what comes back; None = not now.

        Raises Unavailable.
        """
        policy = self.settings.fees
        prices = merging.Prices(await self.nodes.fee_rate(policy), policy.long_term_rate)
        cost = fee_of(planning.INPUT_WEIGHT, prices.rate)
        chosen = merging.choose(await self._hot(owned), prices, cost)
        weight = planning.FRAME_WEIGHT + planning.CHANGE_WEIGHT
        fee = fee_of(weight + planning.INPUT_WEIGHT * len(chosen), prices.rate)
        amount = sum(coin.amount_atoms for coin in chosen) - fee
        if not chosen or amount < planning.CHANGE_DUST_ATOMS:
            return None
        intent = intent_pb2.Intent(
            intent_id=intent_id,
            kind=intent_pb2.INTENT_KIND_INTERNAL,
            network_id=self.network.network_id,
        )
        intent.bitcoin.version = 2
        planning.add_inputs(intent.bitcoin, chosen)
        place = self.settings.change
        key = intent_pb2.KeyPlace(branch=place.branch, index=place.index)
        intent.bitcoin.outputs.add(amount_atoms=amount, key=key)
        content = intent.SerializeToString(deterministic=True)
        inputs = tuple(coin.outpoint for coin in chosen)
        return Plan(intent_id, content, inputs, fee), amount

    async def plan_child(self, intent_id: bytes, raw: bytes) -> tuple[Plan, int] | None:
        """Spends the change of a transaction in the pool so that both are worth mining; None = not.

        Raises Unavailable.
        """
        transaction, network_id = parse_transaction(raw), self.network.network_id
        place = self.settings.change
        row = await self.database.read_row(PLACE, network_id, place.branch, place.index)
        ours = [
            OwnCoin(f"{transaction.txid()}:{index}", one.amount_atoms, place.branch, place.index)
            for index, one in enumerate(transaction.outputs)
            if row is not None and one.script == row["key"]
        ]
        parent = await self._in_pool(transaction) if ours else None
        if parent is None:
            return None
        coin = max(ours, key=lambda one: one.amount_atoms)
        policy, most = self.settings.fees, bounds.fee_atoms_max(coin.amount_atoms)
        rate = await self.nodes.fee_rate(policy)
        fee = children.fee_of_child(parent, children.Bounds(rate, policy.ceiling_rate, most))
        return children.plan_child(intent_id, network_id, coin, fee, place) if fee else None

    async def _in_pool(self, transaction: Transaction) -> children.Parent | None:
        """None when the first node that answers does not have it: there it pays for nothing."""
        txid = transaction.txid()
        entry = await self.nodes.first_answer(lambda node: pool_entry(node, txid))
        if entry is None:
            return None
        return children.Parent(
            int(entry["ancestorsize"]) * planning.WEIGHT_PER_BYTE,
            atoms_of(entry["fees"]["ancestor"]),
            int(entry["descendantcount"]),
        )

    async def plan_from_cold(
        self, amount_atoms: int, fee_atoms_max: int, owned: frozenset[str]
    ) -> ColdPlan:
        """A transaction for people's keys that pays the hot wallet. Raises Stuck, Unavailable."""
        wallet, network_id = await self._cold(), self.network.network_id
        rows = await self.database.read(COLD_COINS, network_id, BRANCH, list(owned), COINS_MAX)
        found = {row["outpoint"]: OwnCoin(*row) for row in rows}
        change = wallet.at(await self._cold_index())
        terms = Terms(
            target_atoms=amount_atoms,
            base_weight=planning.FRAME_WEIGHT + HOT_OUTPUT_WEIGHT,
            fee_rate=await self.nodes.fee_rate(self.settings.fees),
            long_term_fee_rate=self.settings.fees.long_term_rate,
            change_weight=COLD_OUTPUT_WEIGHT,
            change_input_weight=change.input_weight,
            dust_atoms=planning.CHANGE_DUST_ATOMS * 2,
            inputs_max=INPUTS_MAX,
        )
        offered = [
            Coin(coin.outpoint, coin.amount_atoms, change.input_weight) for coin in found.values()
        ]
        chosen = select(offered, terms, self.random)
        if chosen.fee_atoms > fee_atoms_max:
            raise Stuck(
                Condition.AT_CEILING, f"{chosen.fee_atoms} satoshi, {fee_atoms_max} at most"
            )
        place = self.settings.change
        row = await self.database.read_row(PLACE, network_id, place.branch, place.index)
        if row is None:
            raise Rejected("NO_HOT_ADDRESS", f"{place.branch}/{place.index} is not registered")
        outputs = [Output(amount_atoms, row["key"])]
        if chosen.change_atoms:
            outputs.append(Output(chosen.change_atoms, change.output))
        names = [coin.outpoint.rpartition(":") for coin in chosen.coins]
        inputs = tuple(
            Input(TransactionId(txid), int(index), b"", planning.SEQUENCE)
            for txid, _, index in names
        )
        transaction = Transaction(2, inputs, tuple(outputs), 0)
        spent = [
            psbt.Spent(coin.amount_atoms, wallet.at(found[coin.outpoint].path_index))
            for coin in chosen.coins
        ]
        return ColdPlan(
            transaction.serialise(with_witness=False),
            psbt.write(transaction, spent),
            tuple(coin.outpoint for coin in chosen.coins),
            chosen.fee_atoms,
        )

    async def add_signatures(self, unsigned: bytes, texts: Sequence[str]) -> ColdSigned:
        """What these files together come to. Raises Rejected for one of another transaction."""
        transaction = parse_transaction(unsigned)
        names = [one.outpoint for one in transaction.inputs]
        rows = await self.database.read(SPENT, self.network.network_id, names)
        known = {row["outpoint"]: (row["amount_atoms"], row["path_index"]) for row in rows}
        wallet = await self._cold()
        spent = [psbt.Spent(known[name][0], wallet.at(known[name][1])) for name in names]
        gathered: list[dict[bytes, bytes]] = [{} for _ in names]
        for text in texts:
            theirs, given = psbt.read(text)
            if theirs.txid() != transaction.txid():
                raise Rejected("ANOTHER_TRANSACTION", f"a PSBT of {theirs.txid()}")
            for whole, more in zip(gathered, psbt.verified(transaction, spent, given), strict=True):
                whole.update(more)
        done = psbt.finish(transaction, spent, gathered)
        signers = min(len(one) for one in gathered)
        return ColdSigned(signers, wallet.needed, b"" if done is None else done.serialise())

    async def _internal(
        self, intent_id: bytes, payout: Payout, free: Sequence[OwnCoin], fee_atoms_max: int
    ) -> Plan:
        policy = self.settings.fees
        spending = planning.Spending(
            await self.nodes.fee_rate(policy),
            policy.long_term_rate,
            fee_atoms_max,
            self.settings.change,
        )
        network_id = self.network.network_id
        plan = planning.plan(intent_id, network_id, [payout], free, [], spending, self.random)
        intent = intent_pb2.Intent.FromString(plan.intent)
        intent.kind = intent_pb2.INTENT_KIND_INTERNAL
        intent.bitcoin.outputs[0].listed_destination = payout.destination.text
        content = intent.SerializeToString(deterministic=True)
        return Plan(intent_id, content, plan.inputs, plan.fee_atoms_max)

    async def _hot(self, owned: frozenset[str]) -> list[OwnCoin]:
        tip = await self.nodes.tip()
        return await coins.spendable(
            self.database,
            self.network.network_id,
            tip_height=tip.height,
            deposit_depth=self.settings.deposit_depth,
            owned=list(owned),
            coins_max=COINS_MAX,
        )

    async def _cold(self) -> ColdWallet:
        row = await self.database.read_row(COLD_KEYS, self.network.network_id, BRANCH)
        if row is None:
            raise Rejected("NO_COLD_WALLET", "no branch of that name is registered")
        return parse_cold(row["scheme"], row["extended_public_key"], self.chain)

    async def _cold_index(self) -> int:
        row = await self.database.read_row(COLD_PLACE, self.network.network_id, BRANCH)
        if row is None:
            raise Rejected("NO_COLD_ADDRESS", "python -m wallets treasury watch adds one")
        return int(row["path_index"])
