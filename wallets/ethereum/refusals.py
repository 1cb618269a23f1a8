"""What a node's words about a transaction mean. A pure table; called by the node client.

Clients differ: geth, Erigon, Nethermind, Besu and Reth in their pools, anvil and hardhat in
development. The words of geth, anvil and hardhat are what these nodes said when they were asked;
those of the others stand in their sources.
Only a verdict on the transaction itself is a refusal. Words that say "I have it" or "that nonce is
used" mean: look up by hash; what is not in the table is unknown, never a failure.
"""

from typing import Final

from wallets.contract import BroadcastOutcome

ACCEPTED: Final = BroadcastOutcome.ACCEPTED
KNOWN: Final = BroadcastOutcome.KNOWN
REFUSED: Final = BroadcastOutcome.REFUSED
UNKNOWN: Final = BroadcastOutcome.UNKNOWN

# The first that occurs in the words, in lower case, counts.
TABLE: Final = (
    # geth, Erigon, Nethermind, Reth; anvil; hardhat, Besu; Erigon; Nethermind before 2026.
    ("already known", KNOWN, "ALREADY_KNOWN"),
    ("transaction already imported", KNOWN, "ALREADY_KNOWN"),
    ("known transaction", KNOWN, "ALREADY_KNOWN"),
    ("with same hash", KNOWN, "ALREADY_KNOWN"),
    ("alreadyknown", KNOWN, "ALREADY_KNOWN"),
    # Another transaction holds the nonce in this pool; ours may yet be mined elsewhere.
    ("replacement transaction underpriced", REFUSED, "REPLACEMENT_FEE"),
    ("could not replace existing", REFUSED, "REPLACEMENT_FEE"),
    ("price to replace existing", REFUSED, "REPLACEMENT_FEE"),
    ("replacementnotallowed", REFUSED, "REPLACEMENT_FEE"),
    # Perhaps used by this very transaction: only a look-up by hash tells.
    ("nonce too low", KNOWN, "NONCE_USED"),
    ("oldnonce", KNOWN, "NONCE_USED"),
    ("nonce below", KNOWN, "NONCE_USED"),
    ("too distant from current sender nonce", REFUSED, "NONCE_TOO_HIGH"),
    ("nonce too distant", REFUSED, "NONCE_TOO_HIGH"),
    ("nonce too far", REFUSED, "NONCE_TOO_HIGH"),
    ("noncetoofar", REFUSED, "NONCE_TOO_HIGH"),
    ("noncegap", REFUSED, "NONCE_TOO_HIGH"),
    ("nonce too high", REFUSED, "NONCE_TOO_HIGH"),
    ("lower nonce exists", REFUSED, "NONCE_TOO_HIGH"),
    ("insufficientfunds", REFUSED, "FUNDS_MISSING"),
    ("insufficient funds", REFUSED, "FUNDS_MISSING"),
    ("doesn't have enough funds", REFUSED, "FUNDS_MISSING"),
    ("upfront cost exceeds", REFUSED, "FUNDS_MISSING"),
    ("max fee per gas less than block base fee", REFUSED, "FEE_BELOW_BASE"),
    ("less than the block's basefeepergas", REFUSED, "FEE_BELOW_BASE"),
    ("less than the current base fee", REFUSED, "FEE_BELOW_BASE"),
    ("gas price below current base fee", REFUSED, "FEE_BELOW_BASE"),
    ("priority fee per gas higher than max fee", REFUSED, "TIP_ABOVE_FEE"),
    ("priority fee per gas exceeds max fee", REFUSED, "TIP_ABOVE_FEE"),
    ("is bigger than maxfeepergas", REFUSED, "TIP_ABOVE_FEE"),
    # A full pool has no room for what is cheaper than all that it holds.
    ("underpriced", REFUSED, "FEE_TOO_LOW"),
    ("feetoolow", REFUSED, "FEE_TOO_LOW"),
    ("fee too low", REFUSED, "FEE_TOO_LOW"),
    ("gas price too low", REFUSED, "FEE_TOO_LOW"),
    ("gas price below minimum", REFUSED, "FEE_TOO_LOW"),
    ("gas price below configured minimum", REFUSED, "FEE_TOO_LOW"),
    ("priority fee below minimum", REFUSED, "FEE_TOO_LOW"),
    ("exceeds the configured cap", REFUSED, "FEE_TOO_HIGH"),
    ("fee cap exceeded", REFUSED, "FEE_TOO_HIGH"),
    ("gas limit too high", REFUSED, "GAS_TOO_HIGH"),
    ("gas limit is too high", REFUSED, "GAS_TOO_HIGH"),
    ("gas limit reached", REFUSED, "GAS_TOO_HIGH"),
    ("gaslimitexceeded", REFUSED, "GAS_TOO_HIGH"),
    ("intrinsic gas too high", REFUSED, "GAS_TOO_HIGH"),
    ("exceeds block gas limit", REFUSED, "GAS_TOO_HIGH"),
    ("exceeds transaction gas cap", REFUSED, "GAS_TOO_HIGH"),
    ("intrinsic gas", REFUSED, "GAS_TOO_LOW"),
    ("intrinsicgas", REFUSED, "GAS_TOO_LOW"),
    ("floor data gas", REFUSED, "GAS_TOO_LOW"),
    ("requires gas floor of", REFUSED, "GAS_TOO_LOW"),
    ("transaction requires at least", REFUSED, "GAS_TOO_LOW"),
    ("invalid chain id", REFUSED, "WRONG_CHAIN"),
    ("invalid chainid", REFUSED, "WRONG_CHAIN"),
    ("incompatible eip-155", REFUSED, "WRONG_CHAIN"),
    ("chain id mismatch", REFUSED, "WRONG_CHAIN"),
    ("wrong chainid", REFUSED, "WRONG_CHAIN"),
    ("chainid not supported", REFUSED, "WRONG_CHAIN"),
    ("invalid sender", REFUSED, "WRONG_CHAIN"),
    ("pool is full", REFUSED, "POOL_FULL"),
    ("account limit exceeded", REFUSED, "POOL_FULL"),
    ("tries to replace pending", REFUSED, "POOL_FULL"),
    ("in-flight transaction limit", REFUSED, "POOL_FULL"),
    ("oversized data", REFUSED, "TOO_LARGE"),
    ("transaction too large", REFUSED, "TOO_LARGE"),
    ("rlp", REFUSED, "MALFORMED"),
    ("typed transaction too short", REFUSED, "MALFORMED"),
    ("failed to decode transaction", REFUSED, "MALFORMED"),
    ("failed to decode signed transaction", REFUSED, "MALFORMED"),
    ("failed to recover sender", REFUSED, "MALFORMED"),
    ("invalid signature", REFUSED, "MALFORMED"),
    ("empty transaction data", REFUSED, "MALFORMED"),
    ("input too short", REFUSED, "MALFORMED"),
)


def classify(message: str) -> tuple[BroadcastOutcome, str]:
    """What an error that answered a send means."""
    words = message.lower()
    for text, outcome, reason in TABLE:
        if text in words:
            return outcome, reason
    return UNKNOWN, "NODE_ERROR"
