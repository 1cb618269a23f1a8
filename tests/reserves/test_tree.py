"""A proof shows exactly what an account owns, and nothing else passes."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.reserves.files import Proof, check_proof, proof_to_json, read_proof
from cambist.reserves.tree import ATOMS_MAX, BadProof, Node, Part, check, check_part, join, make

ASSET = 7
BALANCES = st.dictionaries(st.integers(1, 60), st.integers(-1_000, 10**20), min_size=1, max_size=30)


@given(BALANCES, st.randoms(use_true_random=False))
def test_every_account_finds_its_balance_below_a_root_that_sums_all(
    balances: dict[int, int], random: Random
) -> None:
    tree = make(ASSET, balances, random)
    assert tree.root.atoms == sum(max(0, atoms) for atoms in balances.values())
    for account_id, atoms in balances.items():
        check(ASSET, account_id, atoms, tree.prove(account_id), tree.root)
    assert tree.prove(61) == []


@given(BALANCES, st.randoms(use_true_random=False), st.data())
@settings(max_examples=60)
def test_a_changed_balance_salt_place_account_asset_or_sibling_fails(
    balances: dict[int, int], random: Random, data: st.DataObject
) -> None:
    tree = make(ASSET, balances, random)
    account_id = data.draw(st.sampled_from(sorted(balances)))
    part = data.draw(st.sampled_from(tree.prove(account_id)))
    leaf = part.leaf
    bit = data.draw(st.integers(0, 255))
    salt = (int.from_bytes(leaf.salt, "big") ^ 1 << bit).to_bytes(32, "big")
    changed = [
        replace(part, leaf=replace(leaf, atoms=leaf.atoms + 1)),
        replace(part, leaf=replace(leaf, salt=salt)),
        replace(part, leaf=replace(leaf, account_id=account_id + 1)),
        replace(part, place=part.place + (1 << len(part.siblings))),
    ]
    for depth, sibling in enumerate(part.siblings):
        changed.append(replace(part, place=part.place ^ 1 << depth))
        for other in (replace(sibling, atoms=sibling.atoms + 1), Node(leaf.salt, sibling.atoms)):
            siblings = (*part.siblings[:depth], other, *part.siblings[depth + 1 :])
            changed.append(replace(part, siblings=siblings))
    check_part(ASSET, part, tree.root)
    for one in changed:
        with pytest.raises(BadProof):
            check_part(ASSET, one, tree.root)
    with pytest.raises(BadProof):
        check_part(ASSET + 1, part, tree.root)
    with pytest.raises(BadProof):
        check_part(ASSET, part, replace(tree.root, atoms=tree.root.atoms + 1))


@given(BALANCES, st.randoms(use_true_random=False), st.data())
def test_parts_left_out_doubled_or_of_others_do_not_come_to_the_balance(
    balances: dict[int, int], random: Random, data: st.DataObject
) -> None:
    tree = make(ASSET, balances, random)
    account_id = data.draw(st.sampled_from(sorted(balances)))
    parts, atoms = tree.prove(account_id), balances[account_id]
    wrong: list[list[Part]] = [[*parts, parts[0]]]
    wrong += [parts[:place] + parts[place + 1 :] for place, p in enumerate(parts) if p.leaf.atoms]
    for one in wrong:
        with pytest.raises(BadProof):
            check(ASSET, account_id, atoms, one, tree.root)
    with pytest.raises(BadProof):
        check(ASSET, account_id + 1, atoms, parts, tree.root)


@pytest.mark.parametrize("atoms", [-1, ATOMS_MAX + 1])
def test_no_node_hides_a_negative_or_absurd_sum(atoms: int) -> None:
    honest = Node(b"h" * 32, 5)
    for pair in ((honest, Node(b"x" * 32, atoms)), (Node(b"x" * 32, atoms), honest)):
        with pytest.raises(BadProof):
            join(*pair)


def test_the_order_of_leaves_and_salts_say_nothing_twice() -> None:
    balances = dict.fromkeys(range(1, 40), 1_000)
    first, second = make(ASSET, balances, Random(1)), make(ASSET, balances, Random(2))
    assert first.root.digest != second.root.digest
    assert len({leaf.salt for leaf in first.leaves}) == len(first.leaves)
    places = [[leaf.account_id for leaf in tree.leaves] for tree in (first, second)]
    assert places[0] != places[1]
    assert len(first.leaves) & (len(first.leaves) - 1) == 0


def test_a_proof_survives_its_file_and_other_files_are_none() -> None:
    tree = make(ASSET, {4096: 12_345, 4097: 6}, Random(3))
    proof = Proof(ASSET, 4096, 12_345, tree.root, tuple(tree.prove(4096)))
    text = proof_to_json(proof)
    assert read_proof(text) == proof
    check_proof(read_proof(text), tree.root)
    with pytest.raises(BadProof):
        check_proof(replace(proof, atoms=12_344), tree.root)
    with pytest.raises(BadProof):
        check_proof(proof, Node(tree.root.digest, tree.root.atoms + 1))
    for other in (
        "",
        "[]",
        "{}",
        text.replace('"version": 1', '"version": 2'),
        text[:-9],
        text.replace('"12345"', '"-1"'),
        text.replace('"12345"', "12345"),
    ):
        with pytest.raises(BadProof):
            read_proof(other)
