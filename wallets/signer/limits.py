"""Every limit of the signer."""

from typing import Final

# Approvals of one batch.
APPROVALS_MAX: Final = 1_000
PEOPLE_SIGNATURES_MAX: Final = 16
DEAD_ATTEMPTS_MAX: Final = 100
# Attempts of one withdrawal; a payout that needs more has a person look at it.
ATTEMPTS_OF_WITHDRAWAL_MAX: Final = 1_000
# Calls at once; further ones hear RESOURCE_EXHAUSTED.
CALLS_MAX: Final = 256
SIGN_SECONDS: Final = 10.0
AMOUNT_ATOMS_MAX: Final = 2**256 - 1
CAP_WINDOW_NS: Final = 3_600 * 1_000_000_000
# Two live keys of the approver: the old and the new one during a rotation.
APPROVER_KEYS_MAX: Final = 2
PEOPLE_TO_RESUME: Final = 2
RESUME_NONCE_BYTES: Final = 32
# Of one question to a Vault, at start and in commands only.
VAULT_SECONDS: Final = 10.0
VAULT_PORT: Final = 8_200
VAULT_ANSWER_BYTES_MAX: Final = 16_384
VAULT_ANSWER_DEPTH_MAX: Final = 16
# Entries of the log that are told at once.
ENTRIES_PAGE_MAX: Final = 1_000
