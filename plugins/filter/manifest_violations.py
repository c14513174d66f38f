from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: manifest_violations
short_description: Check Kubernetes manifests against the schema of a Kubernetes version, without a cluster
version_added: 0.1.0
author: The dualstack.aks contributors
description:
  - Returns what the API server would refuse by its schema, one violation a manifest, unknown fields included; an empty list when all fit.
  - A version that is newer than the newest stored schema is checked against that one.
requirements:
  - kubernetes-validate
positional: version
options:
  _input:
    description: The manifests, as mappings.
    type: list
    elements: dict
    required: true
  version:
    description: The Kubernetes version, as V(1.36) or V(1.36.3).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Refuse a Service that cannot be
  ansible.builtin.assert:
    that: manifests | dualstack.aks.manifest_violations('1.36') == []
  vars:
    manifests:
      - {apiVersion: v1, kind: Service, metadata: {name: entrance}, spec: {ipFamilies: [IPv6], ports: [{port: 80}]}}
"""

RETURN = r"""
_value:
  description: One mapping a violation with C(rule), C(subject), C(found), C(remedy) and C(reference).
  type: list
  elements: dict
"""


def _manifest_violations(manifests: Sequence[Mapping[str, Any]], version: str) -> list[dict[str, str]]:
    # Not above: Ansible imports every filter of a collection for any of them, and this library takes longer than all others.
    try:
        import kubernetes_validate
    except ImportError as error:
        raise AnsibleFilterError("dualstack.aks.manifest_violations needs kubernetes-validate: install the collection's requirements.txt.") from error
    newest = kubernetes_validate.latest_version()
    checked = version if _numbers(version) <= _numbers(newest) else newest
    found = []
    for manifest in manifests:
        subject = f"{manifest.get('kind')} {(manifest.get('metadata') or {}).get('name')}"
        try:
            kubernetes_validate.validate(dict(manifest), checked, strict=True)
        except kubernetes_validate.ValidationError as error:
            path = ".".join(map(str, error.path))
            found.append(_violation(subject, f"{path}: {error.message}"))
        except (kubernetes_validate.SchemaNotFoundError, kubernetes_validate.InvalidSchemaError) as error:
            found.append(_violation(subject, error.message))
        except KeyError as error:
            found.append(_violation(subject, f"{error} is missing"))
    return found


def _numbers(version: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in version.removeprefix("v").split(".")[:2])
    except ValueError as error:
        raise AnsibleFilterError(f"dualstack.aks.manifest_violations: {version!r} is no Kubernetes version such as 1.36.") from error


def _violation(subject: str, found: str) -> dict[str, str]:
    return {
        "rule": "manifest",
        "subject": subject,
        "found": found,
        "remedy": "correct the variable that this value comes from",
        "reference": "https://kubernetes.io/docs/reference/kubernetes-api/",
    }


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"manifest_violations": _manifest_violations}
