# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: role_variable
short_description: Read a variable, with all variables converted as their roles specify
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Applies P(dualstack.aks.typed#filter) to every variable that a role of this collection specifies, then renders the variable.
  - The collection's own actions do this by themselves; tasks of other modules need it.
options:
  _terms:
    description: Names of variables.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show the subnets
  ansible.builtin.debug:
    msg: "{{ lookup('dualstack.aks.role_variable', 'network_subnets') }}"
"""

RETURN = r"""
_raw:
  description: The values.
  type: list
  elements: raw
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.dualstack.aks.plugins.plugin_utils._role_variables import typed_variables


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core ships no types
    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **_kwargs: Any) -> list[Any]:
        known = typed_variables(variables or {})
        if unknown := [name for name in terms if name not in known]:
            raise AnsibleLookupError(f"dualstack.aks.role_variable: {', '.join(unknown)} is undefined.")
        templar = self._templar.copy_with_new_env(available_variables=known)
        return [templar.template(known[name]) for name in terms]
