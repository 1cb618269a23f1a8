"""From the engine's atoms to the chain's. Pure; called by the inbox."""


def to_chain(engine_atoms: int, *, decimals: int, engine_decimals: int) -> int | None:
    """Atoms of the chain, or None when the chain's unit is too coarse to pay exactly this."""
    if decimals >= engine_decimals:
        return engine_atoms * int(10 ** (decimals - engine_decimals))
    atoms, rest = divmod(engine_atoms, int(10 ** (engine_decimals - decimals)))
    return None if rest else atoms
