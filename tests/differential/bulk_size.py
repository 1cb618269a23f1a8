"""How many commands the comparison of the engines gives to both, in all. Used by its tests."""

import os
from typing import Final

COMMANDS: Final = int(os.environ.get("CAMBIST_TEST_COMMANDS", "60000"))
