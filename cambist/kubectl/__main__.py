"""The same as `kubectl cambist`, without an installed entry point."""

from cambist.kubectl.main import main

main(prog_name="kubectl cambist")
