"""Makes the treasury of a chain from its chain file; libraries only where that chain is served."""

import secrets
from random import SystemRandom

from runtime.errors import ConfigurationError
from runtime.postgres import Database
from wallets.contract import Builds, Plan
from wallets.errors import Condition, Stuck
from wallets.treasury.following import SignsInternal
from wallets.treasury.step import Treasury


class NoSigner:
    """Of commands, which plan and gather signatures and ask for none."""

    async def sign(self, plan: Plan, _approvals: tuple[()], /) -> bytes:
        """The worker does it."""
        raise Stuck(Condition.SIGNER_UNAVAILABLE, f"no signer here for {plan.intent_id.hex()}")


def open_treasury(
    database: Database, chain: Builds, signer: SignsInternal | None
) -> Treasury | None:
    """For the network of an adapter; None where there is no cold place yet."""
    if chain.network.chain != "bitcoin":
        return None
    from wallets.bitcoin.adapter import Bitcoin

    if not isinstance(chain, Bitcoin):
        raise ConfigurationError("an adapter of another chain on Bitcoin's network")
    holds = chain.treasury(SystemRandom())
    return Treasury(database, chain, holds, signer or NoSigner(), lambda: secrets.token_bytes(16))
