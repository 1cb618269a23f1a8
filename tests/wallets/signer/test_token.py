"""Static keys in a real PKCS#11 token: signatures that the chains take, keys that never leave."""

import pkcs11
import pytest
from coincurve import PublicKey

from cambist.internal.signer.v1 import intent_pb2
from runtime.errors import ConfigurationError, Unavailable
from tests.wallets.signer.softhsm import MODULE, PIN, open_softhsm
from wallets.errors import Rejected
from wallets.signer.keys.branches import BranchKeys
from wallets.signer.keys.places import CURVE_ORDER
from wallets.signer.keys.seeds import Seeds
from wallets.signer.keys.token import TokenKeys, make_key, open_token, recoverable
from wallets.signer.policy import NetworkPolicy

PLACE = intent_pb2.KeyPlace(branch="hot")
NETWORK = NetworkPolicy(1, "bitcoin", "regtest", 0, {"hot": "m", "deposit": "m/0"}, {}, 0)
DIGEST = b"d" * 32


@pytest.fixture
def token() -> TokenKeys:
    return open_softhsm()


def test_signatures_are_low_and_recover_to_the_key_that_the_token_shows(token: TokenKeys) -> None:
    shown = token.public_key(NETWORK, PLACE)
    for number in range(20):
        digest = bytes([number]) * 32
        found = token.sign(NETWORK, PLACE, digest)
        assert int.from_bytes(found.s, "big") <= CURVE_ORDER // 2
        assert PublicKey(shown).verify(found.der(), digest, hasher=None)
        whole = found.r + found.s + bytes((found.recovery,))
        assert PublicKey.from_signature_and_message(whole, digest, hasher=None).format() == shown


def test_a_signature_of_another_key_is_noticed(token: TokenKeys) -> None:
    found = token.sign(NETWORK, PLACE, DIGEST)
    with pytest.raises(Unavailable):
        recoverable(found.r + found.s, b"e" * 32, token.public_key(NETWORK, PLACE))


def test_the_private_key_cannot_be_read_and_is_made_once(token: TokenKeys) -> None:
    key = token.session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label="hot/0")
    with pytest.raises(pkcs11.AttributeSensitive):
        key[pkcs11.Attribute.VALUE]
    with pytest.raises(ConfigurationError):
        make_key(token, PLACE)


def test_what_the_token_has_not_is_refused_by_name(token: TokenKeys) -> None:
    for place in (intent_pb2.KeyPlace(branch="hot", index=9), intent_pb2.KeyPlace(branch="cold")):
        with pytest.raises(Rejected, match="KEY_UNKNOWN"):
            token.sign(NETWORK, place, DIGEST)
    with pytest.raises(Rejected, match="KEY_STATIC"):
        token.branch_key(NETWORK, "hot")


def test_an_unknown_token_is_a_fault_of_configuration_that_shows_no_pin(
    token: TokenKeys,
) -> None:
    del token
    with pytest.raises(ConfigurationError) as caught:
        open_token(MODULE, "absent", PIN)
    assert PIN.decode() not in str(caught.value)


def test_each_branch_is_signed_by_its_own_store(token: TokenKeys) -> None:
    seeds = Seeds({"deposit": b"d" * 64})
    keys = BranchKeys({"hot": token}, seeds)
    deposit = intent_pb2.KeyPlace(branch="deposit")
    assert keys.public_key(NETWORK, PLACE) == token.public_key(NETWORK, PLACE)
    assert keys.sign(NETWORK, deposit, DIGEST) == seeds.sign(NETWORK, deposit, DIGEST)
    assert keys.branch_key(NETWORK, "deposit") == seeds.branch_key(NETWORK, "deposit")
