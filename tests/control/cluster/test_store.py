"""The store keeps the newest copy, whichever source told it, and counts what watches missed."""

from typing import Any

import pytest

from control.cluster.kinds import CACHED, CHAIN_LABEL, Kind
from control.cluster.store import Store


def chain(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": str(version)}}


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def store(heard: list[str]) -> Store:
    return Store(lambda _kind, found: heard.append(found["metadata"]["name"]))


def test_an_older_copy_does_not_replace_a_newer_one(store: Store, heard: list[str]) -> None:
    assert store.put(Kind.WALLET_CHAIN, chain("a", 10))
    assert not store.put(Kind.WALLET_CHAIN, chain("a", 9))
    assert not store.put(Kind.WALLET_CHAIN, chain("a", 10))
    assert heard == ["a"]


def test_an_event_older_than_the_deletion_does_not_bring_an_object_back(store: Store) -> None:
    store.put(Kind.WALLET_CHAIN, chain("a", 10))
    assert store.remove(Kind.WALLET_CHAIN, chain("a", 12))
    assert not store.put(Kind.WALLET_CHAIN, chain("a", 11))
    assert store.put(Kind.WALLET_CHAIN, chain("a", 13))


def test_a_list_finds_what_was_missed_and_what_went(store: Store) -> None:
    store.put(Kind.WALLET_CHAIN, chain("gone", 1))
    before = store.names(Kind.WALLET_CHAIN)
    # Told by the watch while the list was under way: the list does not take it away.
    store.put(Kind.WALLET_CHAIN, chain("new", 5))
    assert store.replace(Kind.WALLET_CHAIN, [chain("missed", 3)], before) == 2
    assert store.names(Kind.WALLET_CHAIN) == {"new", "missed"}


def test_it_is_filled_when_every_kind_was_listed(store: Store) -> None:
    for kind in CACHED:
        assert not store.is_filled
        store.replace(kind, [], set())
    assert store.is_filled


def test_pods_without_our_label_are_nobodys(store: Store) -> None:
    assert not store.put(Kind.POD, chain("stranger", 1))
    ours = chain("ours", 1)
    ours["metadata"]["labels"] = {CHAIN_LABEL: "btc"}
    assert store.put(Kind.POD, ours)
    assert [pod["metadata"]["name"] for pod in store.pods_of("btc")] == ["ours"]
    assert store.pods_of("eth") == []
