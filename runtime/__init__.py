"""The floor that all services share: settings, logs, clock, Postgres, rpc bootstrap, telemetry.

Services import its modules by name (`from runtime import clock`). It knows no service and no
message of the contract, and must never import one.
"""
