"""An account as `getaccount` of a simulated node shows it. Pure.

Usage is shown as it stands after coming back up to now, as on a real node.
"""

from wallets.tron.contracts import Resource
from wallets.tron.simulator.messages import Json
from wallets.tron.simulator.parameters import SLOT_MILLISECONDS
from wallets.tron.simulator.permissions import permission_json
from wallets.tron.simulator.stake_reads import without_zeros
from wallets.tron.simulator.state import Account, Holding, State
from wallets.tron.simulator.usage import recovered_free, used_more


def account_json(state: State, key: bytes, time_ms: int) -> Json:
    """All that is known of an account at a time; nothing when it does not exist."""
    account = state.accounts.get(key)
    if account is None:
        return {}
    slot = time_ms // SLOT_MILLISECONDS
    told = {
        "address": key.hex(),
        "balance": account.balance,
        "create_time": account.created_ms,
        "latest_opration_time": account.operated_ms,
        "free_net_usage": recovered_free(account, slot),
        "latest_consume_free_time": account.free_used_slot * SLOT_MILLISECONDS,
        **bandwidth_json(account.bandwidth, slot),
        "account_resource": energy_json(account.energy, slot),
        "frozenV2": stakes_json(account),
        "unfrozenV2": [
            resource_json(one.resource)
            | {"unfreeze_amount": one.amount, "unfreeze_expire_time": one.expires_ms}
            for one in account.unstaking
        ],
        "assetV2": [
            {"key": asset.decode(), "value": holders[key]}
            for asset, holders in state.assets.items()
            if holders.get(key)
        ],
        "asset_optimized": True,
    }
    if account.permissions:
        told["owner_permission"] = permission_json(account.permissions.owner)
        told["active_permission"] = [permission_json(one) for one in account.permissions.actives]
    return without_zeros(told)


def bandwidth_json(holding: Holding, slot: int) -> Json:
    """Usage and loans of bandwidth."""
    shown = used_more(holding, 0, slot)
    return {
        "net_usage": shown.used,
        "latest_consume_time": holding.used_slot * SLOT_MILLISECONDS,
        "net_window_size": shown.window,
        "net_window_optimized": True,
        "delegated_frozenV2_balance_for_bandwidth": holding.lent,
        "acquired_delegated_frozenV2_balance_for_bandwidth": holding.borrowed,
    }


def energy_json(holding: Holding, slot: int) -> Json:
    """Usage and loans of energy."""
    shown = used_more(holding, 0, slot)
    told = {
        "energy_usage": shown.used,
        "latest_consume_time_for_energy": holding.used_slot * SLOT_MILLISECONDS,
        "energy_window_size": shown.window,
        "energy_window_optimized": True,
        "delegated_frozenV2_balance_for_energy": holding.lent,
        "acquired_delegated_frozenV2_balance_for_energy": holding.borrowed,
    }
    return without_zeros(told)


def stakes_json(account: Account) -> list[Json]:
    """Stake that is not lent, by resource; a third kind, of votes alone, is always empty."""
    stakes = [
        resource_json(resource) | without_zeros({"amount": account.holding(resource).staked})
        for resource in Resource
    ]
    return [*stakes, {"type": "TRON_POWER"}]


def resource_json(resource: Resource) -> Json:
    """The name of a resource; bandwidth is number zero and left out."""
    return {"type": resource.name} if resource else {}
