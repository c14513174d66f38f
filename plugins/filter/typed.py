# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dualstack.aks.plugins.plugin_utils._role_variables import typed_value

DOCUMENTATION = r"""
name: typed
short_description: Convert a value to the type that a role specifies for a variable
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Turns text that spells a boolean, a number, a list or a mapping into one, as the role's argument specification describes the variable.
    Values from extra vars and INI inventories are text.
  - Choices ignore case.
  - Fails for a value that does not fit. The message names the variable.
  - The roles' actions and P(dualstack.aks.role_variable#lookup) do this by themselves.
positional: variable
options:
  _input:
    description: The value.
    type: raw
    required: true
  variable:
    description: Name of the variable.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show what -e aks_monitoring=false means
  ansible.builtin.debug:
    msg: "{{ 'false' | dualstack.aks.typed('aks_monitoring') }}"
"""

RETURN = r"""
_value:
  description: The value with the type of the variable.
  type: raw
"""


def _typed(value: Any, variable: str) -> Any:
    try:
        return typed_value(variable, value)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"typed": _typed}
