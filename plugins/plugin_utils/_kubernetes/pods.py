"""Why pods are not ready, in their own words.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

#: events that say what keeps a pod before its containers can say anything
_REASONS = {"FailedCreate", "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"}


def pod_complaints(pods: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]) -> list[str]:
    """One text a complaint: where no node takes a pod, what a container said last, why it waits, and what the kubelet warns of."""
    found = [
        f"{pod['metadata']['name']}: {' '.join(text.split())}" for pod in pods for text in (*_unschedulable(pod), *_containers(pod)) if text.strip()
    ]
    names = {pod["metadata"]["name"] for pod in pods}
    for event in events:
        subject = event.get("involvedObject", {}).get("name", "")
        if event.get("type") == "Warning" and event.get("reason") in _REASONS and (subject in names or event["reason"] == "FailedCreate"):
            found.append(f"{subject}: {' '.join(str(event.get('message', '')).split())}")
    return list(dict.fromkeys(found))


def _unschedulable(pod: Mapping[str, Any]) -> Iterator[str]:
    for condition in pod.get("status", {}).get("conditions") or ():
        if condition.get("reason") == "Unschedulable":
            yield str(condition.get("message", ""))


def _containers(pod: Mapping[str, Any]) -> Iterator[str]:
    for container in pod.get("status", {}).get("containerStatuses") or ():
        if container.get("ready"):
            continue
        ended = [state["terminated"] for state in (container.get("lastState") or {}, container.get("state") or {}) if state.get("terminated")]
        last_words = " ".join(str(end.get("message") or "") for end in ended)
        waiting = (container.get("state") or {}).get("waiting") or {}
        yield last_words or str(waiting.get("message") or "")
