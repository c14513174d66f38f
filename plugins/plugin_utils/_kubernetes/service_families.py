"""How a Service may change its families: the rules of the API server for ``ipFamilyPolicy`` and ``ipFamilies``.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FAMILIES = ("IPv4", "IPv6")
SINGLE = "SingleStack"
POLICIES = (SINGLE, "PreferDualStack", "RequireDualStack")


class MalformedService(ValueError):
    """Something that is no family or no policy."""


@dataclass(frozen=True)
class FamilyChange:
    """What comes of declaring a policy and families for a Service that is there.

    ``policy`` and ``families`` are what the Service has afterwards; where the change is refused they are what it keeps. ``added`` and
    ``released`` families gain and lose their cluster IP, and with it the frontend and address of a load balancer.
    """

    legal: bool
    policy: str
    families: tuple[str, ...]
    added: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    reason: str = ""


def service_family_change(current_policy: str, current: Sequence[str], policy: str, wanted: Sequence[str] = ()) -> FamilyChange:
    """The change of a Service with cluster IPs in a dual-stack cluster from ``current`` families to ``wanted`` ones.

    ``wanted`` may be empty: the policy alone decides. Raises :class:`MalformedService`.
    Source: kubernetes.io/docs/concepts/services-networking/dual-stack (services), tried on the API server 1.36 transition by transition.
    """
    _check(current_policy, current, "current")
    _check(policy, wanted, "wanted")
    if not current:
        raise MalformedService("The current Service has no ipFamilies: it has no cluster IP yet.")
    refused = _refusal(tuple(current), policy, tuple(wanted))
    if refused:
        return FamilyChange(False, current_policy, tuple(current), reason=refused)
    after = (current[0],) if policy == SINGLE else (current[0], *(family for family in FAMILIES if family != current[0]))
    return FamilyChange(
        True,
        policy,
        after,
        added=tuple(family for family in after if family not in current),
        released=tuple(family for family in current if family not in after),
    )


def _refusal(current: tuple[str, ...], policy: str, wanted: tuple[str, ...]) -> str:
    if wanted and wanted[0] != current[0]:
        return (
            f"a Service's first family never changes, and this one is {current[0]}; "
            f"create another Service with {wanted[0]} first, and delete this one when nothing uses it"
        )
    if policy == SINGLE and len(wanted) == 2 and wanted != current:
        return f"SingleStack allows one family: declare only {wanted[0]}, or a dual-stack policy"
    if policy != SINGLE and len(wanted) == 1 and len(current) == 2:
        return f"only SingleStack removes {current[1]}: declare SingleStack, or both families"
    return ""


def _check(policy: str, families: Sequence[str], what: str) -> None:
    if policy not in POLICIES:
        raise MalformedService(f"The {what} ipFamilyPolicy {policy!r} is not one of {', '.join(POLICIES)}.")
    if any(family not in FAMILIES for family in families) or len(set(families)) != len(families):
        raise MalformedService(f"The {what} ipFamilies {list(families)!r} are not IPv4 and IPv6, each at most once.")
