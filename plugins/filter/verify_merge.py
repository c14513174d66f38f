from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._report.merge import MalformedReport, merge

DOCUMENTATION = r"""
name: verify_merge
short_description: Make one report of the reports of a fleet's slices
version_added: 0.1.0
author: The dualstack.aks contributors
description:
  - Puts together what several runs of the playbook C(verify) wrote to C(report.json).
  - Where two reports say different things of one stamp, the newer counts; of two of the same time the one that fails. C(notes) says so.
positional: stamps
options:
  _input:
    description: The contents of the files.
    type: list
    elements: dict
    required: true
  stamps:
    description: The stamps that are to be in the reports. One that is in none has failed.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show the fleet
  ansible.builtin.debug:
    msg: "{{ merged.results | dualstack.aks.verify_report('console', merged.time) | split('\n') }}"
  vars:
    slices: [reports/1/report.json, reports/2/report.json]
    merged: "{{ query('ansible.builtin.file', *slices) | map('from_json') | dualstack.aks.verify_merge(groups['regions']) }}"
"""

RETURN = r"""
_value:
  description: >-
    C(results), which P(dualstack.aks.verify_report#filter) takes; C(notes), lines on what was decided; C(time), that of the newest report;
    C(failed) and C(missing), lists of stamps.
  type: dict
"""


def _verify_merge(reports: Sequence[Mapping[str, Any]], stamps: Sequence[str] = ()) -> dict[str, Any]:
    if isinstance(reports, (str, Mapping)) or not isinstance(reports, Sequence):
        raise AnsibleFilterError(f"dualstack.aks.verify_merge: reports are a list, not {type(reports).__name__}.")
    try:
        return merge(reports, stamps)
    except MalformedReport as error:
        raise AnsibleFilterError(f"dualstack.aks.verify_merge: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"verify_merge": _verify_merge}
