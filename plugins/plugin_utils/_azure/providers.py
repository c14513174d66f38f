"""Registration of resource providers in a subscription.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Sequence

from .client import ArmClient
from .errors import ArmFailure
from .options import Options
from .types import version_of
from .waiting import Wait


def register(client: ArmClient, namespaces: Sequence[str], options: Options) -> list[str]:
    """Register what is not, and wait until it is. Returns the namespaces that were not registered.

    Raises :class:`~.errors.ArmFailure` when Azure refuses, or is still registering at the timeout.
    """
    base = f"/subscriptions/{client.login.subscription_id}/providers"
    version = version_of(base)

    def unregistered(candidates: Sequence[str]) -> list[str]:
        states = {name: (client.get(f"{base}/{name}", version) or {}).get("registrationState") for name in candidates}
        return [name for name, state in states.items() if state != "Registered"]

    missing = unregistered(namespaces)
    if options.check:
        return missing
    for namespace in missing:
        client.post(f"{base}/{namespace}/register", version)
    left = missing
    wait = Wait(options.timeout, lambda seconds: options.progress(f"waiting for the registration of {', '.join(left)}: {seconds:.0f} s"))
    for _attempt in wait.tries():
        left = unregistered(left)
        if not left:
            return missing
    raise ArmFailure(0, "RegistrationTimedOut", f"{', '.join(left)} are still being registered after {options.timeout:.0f} s.")
