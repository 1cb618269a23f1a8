"""What all chains share: inbox, outbox, payouts and their attempts. Knows no chain."""
