"""What is planned is taken off what accounts hold, and the first that has enough pays."""

from wallets.contract import Destination, Payout, Token, WithdrawalId
from wallets.tron.accounts import HotAccount
from wallets.tron.means import Look

POOR, RICH = HotAccount(b"p" * 21, "hot", 0), HotAccount(b"r" * 21, "hot", 1)
FEE = 3
TRX, TOKEN = b"", b"t" * 21


def payout(amount_atoms: int, contract: bytes = TRX) -> Payout:
    token = Token(1, contract, 6)
    return Payout(WithdrawalId(bytes(16)), Destination("to", b"d" * 21), token, amount_atoms)


def test_the_first_account_that_has_enough_beside_what_is_under_way_pays() -> None:
    look = Look([(POOR, 14, 0), (RICH, 100, 0)], taken_sun=2, taken_atoms=0)
    assert look.take(payout(10), FEE) == (RICH, 100)
    assert Look([(POOR, 14, 0)], 1, 0).take(payout(10), FEE) == (POOR, 14)


def test_plans_of_a_moment_take_their_share_of_one_look() -> None:
    look = Look([(RICH, 30, 0)], 0, 0)
    assert look.take(payout(10), FEE) == (RICH, 30)
    assert look.take(payout(10), FEE) == (RICH, 30)
    # Twice ten and the fees of two are gone.
    assert look.take(payout(2), FEE) is None
    assert look.take(payout(1), FEE) == (RICH, 30)


def test_a_token_needs_its_own_atoms_and_sun_for_the_fee() -> None:
    look = Look([(POOR, 2, 50), (RICH, 7, 50)], 0, 0)
    assert look.take(payout(40, TOKEN), FEE) == (RICH, 7)
    assert look.take(payout(11, TOKEN), FEE) is None
    assert look.take(payout(10, TOKEN), FEE) == (RICH, 7)
    assert look.take(payout(1, TOKEN), FEE) is None
