"""What gateways ask of custody: deposits, withdrawals, quotes."""
