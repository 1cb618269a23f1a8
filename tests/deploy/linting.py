"""Who can judge a compose file here: the plugin of Docker, or the library that it is made of."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

LIBRARY: Final = "github.com/compose-spec/compose-go/v2/cmd@v2.9.1"
RUN_LOADER: Final = {"CGO_ENABLED": "0"}


def loader(path: Path) -> list[str] | None:
    """The command, or None."""
    if shutil.which("docker"):
        version = ["docker", "compose", "version"]
        if subprocess.run(version, capture_output=True, check=False, timeout=60).returncode == 0:
            profiles = ("--profile", "observability", "--profile", "nodes")
            return ["docker", "compose", *profiles, "--file", str(path), "config", "--quiet"]
    if shutil.which("go"):
        return ["go", "run", LIBRARY, str(path)]
    return None
