"""Registration of resource providers in a subscription.

This file is private to the collection.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from .client import ArmClient, ArmFailure
from .reconcile import Options
from .types import version_of


def register(client: ArmClient, namespaces: Sequence[str], options: Options) -> list[str]:
    """Register what is not, and wait until it is. Returns the namespaces that were not registered.

    Raises :class:`~.client.ArmFailure` when Azure refuses, or is still registering at the timeout.
    """
    base = f"/subscriptions/{client.login.subscription_id}/providers"
    version = version_of(base)

    def state(namespace: str) -> str:
        return str((client.get(f"{base}/{namespace}", version) or {}).get("registrationState", ""))

    missing = [namespace for namespace in namespaces if state(namespace) != "Registered"]
    if options.check:
        return missing
    for namespace in missing:
        client.post(f"{base}/{namespace}/register", version)
    started = shown = time.monotonic()
    waiting = list(missing)
    while waiting:
        waiting = [namespace for namespace in waiting if state(namespace) != "Registered"]
        elapsed = time.monotonic() - started
        if waiting and elapsed > options.timeout:
            raise ArmFailure(0, "RegistrationTimedOut", f"{', '.join(waiting)} are still being registered after {elapsed:.0f} s.")
        if waiting and time.monotonic() - shown >= 15:
            shown = time.monotonic()
            options.progress(f"waiting for the registration of {', '.join(waiting)}: {elapsed:.0f} s")
        if waiting:
            time.sleep(0.5)
    return missing
