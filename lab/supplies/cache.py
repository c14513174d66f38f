"""The cache that all labs of a user share."""

from __future__ import annotations

import os
from pathlib import Path

#: what takes minutes to make is kept here
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dualstack-aks-lab"
