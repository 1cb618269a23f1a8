"""BIP32's own vectors."""

import pytest

from wallets.signer.keys.extended import extended_public_key

SEED = bytes.fromhex("000102030405060708090a0b0c0d0e0f")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "m/0'",
            (
                "xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9"
                "xv5ski8PX9rL2dZXvgGDnw"
            ),
        ),
        (
            "m/0'/1",
            (
                "xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hq"
                "ck2AxYysAA7xmALppuCkwQ"
            ),
        ),
    ],
)
def test_branches_have_the_keys_of_the_standard(path: str, expected: str) -> None:
    assert extended_public_key(SEED, path) == expected
