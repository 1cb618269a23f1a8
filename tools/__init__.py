"""Programs that keep the repository itself; the Makefile calls them, nothing else imports them."""
