"""AuthService: a signed challenge in, a short-lived token out. The only calls without a key."""

from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cambist.auth.v1 import auth_pb2
from gateway import limits
from gateway.door.admission import in_networks
from gateway.door.calls import Call, Received
from gateway.errors import Rejected, exhausted, unauthenticated
from gateway.identity.buckets import BucketTable
from gateway.identity.callers import Callers
from gateway.identity.keys import KeyRecord
from gateway.identity.store import KeyStore
from gateway.identity.tokens import NONCE_RANDOM_BYTES, Signer, Token
from gateway.shard.reference import Reference
from runtime.clock import NANOSECONDS_PER_SECOND, Clock

CHALLENGE_PREFIX = b"cambist-logon-v1\n"


class AuthService:
    """Logon."""

    def __init__(
        self,
        store: KeyStore,
        signer: Signer,
        callers: Callers,
        clock: Clock,
        references: tuple[Reference, ...],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._signer = signer
        self._callers = callers
        self._clock = clock
        self._references = references
        self._random_bytes = random_bytes
        self._attempts = BucketTable(
            limits.LOGONS_PER_SECOND, limits.LOGONS_BURST, limits.LOGON_ADDRESSES_MAX
        )

    async def get_challenge(
        self, _received: Received[auth_pb2.GetChallengeRequest], call: Call
    ) -> auth_pb2.GetChallengeResponse:
        """A nonce to sign."""
        self._meter(call.address)
        now_ns = self._clock.wall_ns()
        nonce = self._signer.make_nonce(now_ns, self._random_bytes(NONCE_RANDOM_BYTES))
        return auth_pb2.GetChallengeResponse(nonce=nonce, server_time_ns=now_ns)

    async def logon(
        self, received: Received[auth_pb2.LogonRequest], call: Call
    ) -> auth_pb2.LogonResponse:
        """A token for whoever holds the key. The signature is judged before what it opens."""
        self._meter(call.address)
        request = received.message
        assert request is not None
        now_ns = self._clock.wall_ns()
        length = len(request.key_id)
        is_possible = 1 <= length <= limits.KEY_ID_CHARACTERS_MAX and "\0" not in request.key_id
        record = await self._store.find(request.key_id) if is_possible else None
        if record is None:
            raise unauthenticated("UNKNOWN_KEY", "no such key")
        if abs(request.time_ns - now_ns) > limits.CLOCK_SKEW_SECONDS * NANOSECONDS_PER_SECOND:
            raise unauthenticated("CLOCK_SKEW", "the clocks differ by more than 5 s")
        expires_ns = self._signer.nonce_expires_ns(request.nonce, now_ns)
        if not expires_ns:
            raise nonce_refused()
        if not is_signed(request, record):
            raise unauthenticated("BAD_SIGNATURE", "the signature does not fit the key")
        if not await self._store.use_nonce(request.nonce, expires_ns):
            raise nonce_refused()
        self._callers.check_live(record)
        if record.networks and not in_networks(call.address, record.networks):
            raise unauthenticated("IP_NOT_ALLOWED", "the key is not allowed from this address")
        return self._answer(record, now_ns)

    def _answer(self, record: KeyRecord, now_ns: int) -> auth_pb2.LogonResponse:
        caller = self._callers.keep(record)
        end_ns = now_ns + limits.TOKEN_SECONDS * NANOSECONDS_PER_SECOND
        end_ns = min(end_ns, record.expires_ns or end_ns)
        accounts = sorted(
            {
                account_id
                for reference in self._references
                for account_id in caller.accounts_on(reference)
            }
        )
        return auth_pb2.LogonResponse(
            token=self._signer.make_token(Token(record.key_id, record.firm_id, end_ns)),
            expires_ns=end_ns,
            firm_id=record.firm_id,
            account_ids=accounts[: limits.ACCOUNTS_MAX],
            scopes=sorted(caller.scopes),
        )

    def _meter(self, address: str) -> None:
        now_ns = self._clock.monotonic_ns()
        bucket = self._attempts.bucket(address, now_ns)
        if not bucket.take(1, now_ns):
            seconds = bucket.milliseconds_until(1, now_ns) / 1_000
            raise exhausted("LOGON_RATE", "too many logons from this address", seconds)


def nonce_refused() -> Rejected:
    """A nonce that is not ours, is over, or was used."""
    return unauthenticated("NONCE_REPLAYED", "the nonce was used, is over, or is not ours")


def is_signed(request: auth_pb2.LogonRequest, record: KeyRecord) -> bool:
    """Whether one of the live public keys made the signature."""
    signed = (
        CHALLENGE_PREFIX
        + request.key_id.encode()
        + b"\n"
        + request.nonce
        + request.time_ns.to_bytes(8, "big", signed=True)
    )
    for public_key in record.public_keys:
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(request.signature, signed)
        except (InvalidSignature, ValueError):
            continue
        return True
    return False
