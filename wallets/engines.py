"""Where the engines are, as custody's processes are told. Called by their settings."""

from runtime.errors import ConfigurationError
from wallets import limits


def read_engines(variable: str, text: str) -> dict[int, str]:
    """Addresses by shard of "1=host:port,2=host:port"; raises ConfigurationError."""
    found: dict[int, str] = {}
    for part in filter(None, text.split(",")):
        shard, separator, address = part.partition("=")
        if not separator or not shard.isdigit() or int(shard) in found:
            raise ConfigurationError(f"{variable} is SHARD=HOST:PORT,…")
        found[int(shard)] = address
    if not 0 < len(found) <= limits.SHARDS_MAX:
        raise ConfigurationError(f"{variable} names no engine, or too many")
    return found
