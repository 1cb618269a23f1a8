"""A simulated node that makes blocks when told to, its accounts, and a client of it."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from aiohttp.test_utils import TestClient
from aiohttp.web import Application, Request
from eth_keys.datatypes import PrivateKey

from wallets.contract import BlockRef
from wallets.tron.simulator.chain import Chain
from wallets.tron.simulator.json_forms import transaction_from
from wallets.tron.simulator.parameters import SLOT_MILLISECONDS
from wallets.tron.simulator.state import Account
from wallets.tron.transactions import Plan, build, reference_of, sign

GENESIS_MS = 1_795_354_200_000
TRX = 1_000_000
KEY = PrivateKey(hashlib.sha256(b"test").digest())
OWNER = b"\x41" + KEY.public_key.to_canonical_address()
OTHER_KEY = PrivateKey(hashlib.sha256(b"other").digest())
OTHER = b"\x41" + OTHER_KEY.public_key.to_canonical_address()
HOLDER = b"\x41" + b"\x01" * 20
NEW = b"\x41" + b"\x02" * 20
TOKEN = b"\x41" + b"\x03" * 20


def signed_by(key: PrivateKey, raw: bytes) -> bytes:
    """A signature as the chain counts it."""
    signature = key.sign_msg_hash(hashlib.sha256(raw).digest())
    return bytes(signature.to_bytes()[:64] + bytes((signature.v + 27,)))


@dataclass(slots=True)
class Net:
    """A simulated node that makes blocks when told to, and a client of it."""

    chain: Chain
    client: TestClient[Request, Application]
    # Counts up, so that equal payouts differ.
    made: int = field(default=0)

    async def call(self, path: str, **body: Any) -> Any:
        answer = await self.client.post(path, json=body)
        assert answer.status == 200, answer.status
        return await answer.json()

    def transaction(self, contract: Any, fee_limit: int = 0, **changes: Any) -> bytes:
        self.made += 1
        head = self.chain.head
        solid = self.chain.blocks[self.chain.solid_height]
        plan = Plan(
            contract,
            reference_of(BlockRef(solid.height, solid.block_hash), head.height),
            head.time_ms + self.made,
            changes.get("expiration_ms", head.time_ms + 60_000),
            fee_limit,
            changes.get("memo", b""),
        )
        raw = build(plan, plan.expiration_ms - 1)
        return sign(raw, [signed_by(changes.get("key", KEY), raw)])

    def asking(
        self,
        name: str,
        value: dict[str, Any],
        keys: tuple[PrivateKey, ...] = (KEY,),
        permission_id: int = 0,
    ) -> bytes:
        """A transaction of any kind that the simulator knows, from its JSON."""
        self.made += 1
        head = self.chain.head
        whole = transaction_from(
            {
                "raw_data": {
                    "contract": [
                        {
                            "type": name,
                            "parameter": {"value": value},
                            "Permission_id": permission_id,
                        }
                    ],
                    "ref_block_bytes": head.block_hash[12:16],
                    "ref_block_hash": head.block_hash[16:32],
                    "expiration": head.time_ms + 60_000,
                    "timestamp": head.time_ms + self.made,
                }
            }
        )
        raw = whole.raw_data.SerializeToString()
        return sign(raw, [signed_by(key, raw) for key in keys])

    def fund(self, key: bytes, sun: int) -> None:
        """An account with so much TRX from here on."""
        self.chain.head.state.accounts[key] = Account(sun, self.chain.head.time_ms)
        self.chain.refill_pool()

    def pass_time(self, milliseconds: int) -> None:
        """Empty blocks until so much time of the chain went by."""
        for _ in range(-(-milliseconds // SLOT_MILLISECONDS)):
            self.chain.make_block()

    async def send(self, whole: bytes) -> Any:
        return await self.call("/wallet/broadcasthex", transaction=whole.hex())

    async def mined(self, whole: bytes) -> Any:
        """Sends, makes a block, and answers the info."""
        taken = await self.send(whole)
        assert taken["result"] is True, taken
        self.chain.make_block()
        return await self.call("/wallet/gettransactioninfobyid", value=taken["txid"])
