"""What this replica knows of the cluster: the newest copy of each object, filled by two sources.

Watches put what changes, lists replace what is there; the list also tells what a watch missed.
Never written to the cluster; readers must not change what they get.
"""

from collections.abc import Callable, Iterable
from typing import Final

from control.cluster.kinds import CACHED, CHAIN_LABEL, LABELLED, Kind, Object, label_of, name_of

Listener = Callable[[Kind, Object], None]


def version_of(found: Object) -> int:
    """resourceVersion as a number, as Kubernetes allows since 1.35 and etcd always had it."""
    return int(found["metadata"].get("resourceVersion") or 0)


class Store:
    """Objects by kind and name. `listener` hears each one that changed or went."""

    def __init__(self, listener: Listener) -> None:
        self._listener: Final = listener
        self._objects: dict[Kind, dict[str, Object]] = {kind: {} for kind in CACHED}
        # Version at which an object went, so that an older event does not bring it back.
        self._gone: dict[Kind, dict[str, int]] = {kind: {} for kind in CACHED}
        self._filled: set[Kind] = set()

    @property
    def is_filled(self) -> bool:
        """Whether every kind was listed once."""
        return len(self._filled) == len(CACHED)

    def get(self, kind: Kind, name: str) -> Object | None:
        """One object."""
        return self._objects[kind].get(name)

    def all(self, kind: Kind) -> list[Object]:
        """All of a kind."""
        return list(self._objects[kind].values())

    def pods_of(self, chain: str) -> list[Object]:
        """Pods of a WalletChain, by name."""
        pods = self._objects[Kind.POD]
        mine = [pod for pod in pods.values() if label_of(pod, CHAIN_LABEL) == chain]
        return sorted(mine, key=name_of)

    def put(self, kind: Kind, found: Object) -> bool:
        """Takes a copy that is newer than ours; whether it was."""
        if kind in LABELLED and not label_of(found, CHAIN_LABEL):
            return False
        name, version = name_of(found), version_of(found)
        known = self._objects[kind].get(name)
        newest = version_of(known) if known else self._gone[kind].get(name, 0)
        if version <= newest:
            return False
        self._objects[kind][name] = found
        self._gone[kind].pop(name, None)
        self._listener(kind, found)
        return True

    def remove(self, kind: Kind, found: Object) -> bool:
        """Forgets an object; whether it was known."""
        name = name_of(found)
        known = self._objects[kind].get(name)
        if known is None or version_of(known) > version_of(found):
            return False
        del self._objects[kind][name]
        self._gone[kind][name] = version_of(found)
        self._listener(kind, found)
        return True

    def replace(self, kind: Kind, listed: Iterable[Object], before: set[str]) -> int:
        """Takes a list; how many objects differed from what was known.

        `before` = names known when the list was asked for: only those can have gone meanwhile.
        """
        names = set()
        misses = 0
        # A watch tells in order: what it told before this list, it does not tell again.
        self._gone[kind].clear()
        for found in listed:
            names.add(name_of(found))
            misses += self.put(kind, found)
        for name in before - names:
            known = self._objects[kind].get(name)
            if known is not None:
                misses += self.remove(kind, known)
        self._filled.add(kind)
        return misses

    def names(self, kind: Kind) -> set[str]:
        """Names of a kind."""
        return set(self._objects[kind])
