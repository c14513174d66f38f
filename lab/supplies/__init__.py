"""What a lab runs, and where it comes from: found on the machine, fetched or built once, and kept in a cache that a user's labs share.

Knows nothing of Azure, clusters or packets.
"""

from __future__ import annotations

from collections.abc import Callable

#: prints one line of progress
Say = Callable[[str], None]


class Missing(SystemExit):
    """Something that the lab runs is not available; the message says what to install."""
