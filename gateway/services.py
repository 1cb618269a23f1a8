"""The services that a gateway offers: which generated modules declare them."""

from types import ModuleType
from typing import Final

from cambist.account.v1 import account_pb2
from cambist.api_key.v1 import api_key_pb2
from cambist.auth.v1 import auth_pb2
from cambist.drop_copy.v1 import drop_copy_pb2
from cambist.info.v1 import info_pb2
from cambist.limits.v1 import limits_pb2
from cambist.market_data.v1 import service_pb2 as market_data_pb2
from cambist.mass_quote.v1 import mass_quote_pb2
from cambist.orders.v1 import service_pb2 as orders_pb2
from cambist.query.v1 import query_pb2
from cambist.reference.v1 import reference_pb2
from cambist.risk.v1 import risk_pb2
from cambist.sandbox.v1 import sandbox_pb2
from cambist.wallet.v1 import wallet_pb2

# Every public service but AdminService, which has a port of its own at matching.
SERVED: Final[tuple[ModuleType, ...]] = (
    account_pb2,
    api_key_pb2,
    auth_pb2,
    drop_copy_pb2,
    info_pb2,
    limits_pb2,
    market_data_pb2,
    mass_quote_pb2,
    orders_pb2,
    query_pb2,
    reference_pb2,
    risk_pb2,
    sandbox_pb2,
    wallet_pb2,
)
