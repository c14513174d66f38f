from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._report.formats import FORMATS

DOCUMENTATION = r"""
name: verify_report
short_description: Write the results of all stamps as people and programs read them
version_added: 0.1.0
author: The dualstack.aks contributors
description:
  - Makes one text of the results of P(dualstack.aks.verify_results#filter).
positional: format, time
options:
  _input:
    description: Stamp to its results.
    type: dict
    required: true
  format:
    description: >-
      V(console) is a table below 100 columns, the families side by side; V(json); V(junit) has a test suite for each stamp and a test
      case for each check and family; V(markdown).
    type: str
    choices: [console, json, junit, markdown]
    required: true
  time:
    description: When the results were had, in ISO 8601; left out when empty.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show the table
  ansible.builtin.debug:
    msg: "{{ {'westeurope': results} | dualstack.aks.verify_report('console') | split('\n') }}"
  vars:
    results: "{{ {'stamp': 'westeurope'} | dualstack.aks.verify_results }}"
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""


def _verify_report(results: Mapping[str, Sequence[Mapping[str, str]]], format: str, time: str = "") -> str:
    if not isinstance(results, Mapping):
        raise AnsibleFilterError(f"dualstack.aks.verify_report: results are a mapping of stamps, not {results!r}.")
    if format not in FORMATS:
        raise AnsibleFilterError(f"dualstack.aks.verify_report: format {format!r} is not one of {', '.join(FORMATS)}.")
    return FORMATS[format](results, time)


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"verify_report": _verify_report}
