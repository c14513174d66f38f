"""Which records of silent families are withdrawn.

This file is private to the collection.
"""

from __future__ import annotations

from typing import Any

from .stamp import RECORD_TYPES, WORDS, Stamp, answered, message_of

_VIEWS = ("public", "private")


def silent_and_published(stamp: Stamp) -> list[str]:
    """Families that were asked, did not answer, and have a record in some zone. Who could not be asked is not among them."""
    return [
        family
        for family in RECORD_TYPES
        if (asked := stamp.asked_of(family)) is not None and not answered(asked) and any(stamp.stored(view, family) for view in _VIEWS)
    ]


def repairs(stamp: Stamp, *, everything: bool = False) -> dict[str, Any]:
    """``withdraw``: the families, and ``lines``: one line for each silent family that has a record, with what is done about it and why.

    The last record of a stamp stays unless ``everything``: a name without any address fails for everybody at once, and two silent
    families are more often the asking host's fault than both entrances'.
    """
    broken = silent_and_published(stamp)
    left = [family for family in RECORD_TYPES if family not in broken and any(stamp.stored(view, family) for view in _VIEWS)]
    withdraw = broken if left or everything else []
    lines = []
    for family in broken:
        names = [f"{stamp.zone(view).name} ({view})" for view in _VIEWS if stamp.stored(view, family)]
        asked = stamp.asked_of(family) or {}
        record = f"{RECORD_TYPES[family].upper()} of {' and '.join(names)}"
        reason = f"the {WORDS[family]} entrance {asked.get('address')} did not answer {asked.get('probe')} ({message_of(asked)})"
        if family in withdraw:
            lines.append(f"{stamp.name}: {record} {'would be' if stamp.check_mode else 'is'} withdrawn because {reason}.")
        else:
            lines.append(
                f"{stamp.name}: {record} stays although {reason}: without it, the name would have no address at all, and the probe "
                f"host may be at fault. To withdraw it anyway: -e dns_repair=true -e dns_repair_all=true"
            )
    return {"withdraw": withdraw, "lines": lines}
