# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# The documentation of the action plugin of the same name; nothing runs from here.
from __future__ import annotations

DOCUMENTATION = r"""
module: validate_role
short_description: Check a role's variables against Azure's rules
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Compares the variables of the role that the task stands in with the role's argument specification, reads from Azure and the cluster what the
    rules need, and applies the rules of the role. Changes nothing.
  - Reports all problems together. A variable that does not fit its specification is reported, and counts as its default for all other rules.
options:
  facts:
    description:
      - What the rules look at, as the task of each role gives it.
      - Each value is rendered when a rule first needs it, so that a value that cannot be rendered hides no other problem.
    type: dict
    required: true
  entry_point:
    description: Which entry point's options are checked, and its rules applied.
    type: str
    default: main
  collect:
    description: Return the violations instead of failing, so that a play can report those of all roles together.
    type: bool
    default: false
extends_documentation_fragment:
  - dualstack.aks.reading
  - dualstack.aks.credentials
"""

EXAMPLES = r"""
- name: Check the role registry alone, before anything is written
  ansible.builtin.import_role: {name: dualstack.aks.registry, tasks_from: validate}
"""

RETURN = r"""
violations:
  description: The broken rules, each with C(rule), C(subject), C(found), C(remedy) and C(reference); empty when everything is right.
  returned: always
  type: list
  elements: dict
cloud:
  description: C(name) and C(endpoint) of the cloud that was asked.
  returned: when Azure was asked
  type: dict
tenant:
  description: The tenant of the credentials.
  returned: when Azure was asked
  type: str
subscription_id:
  description: The subscription of the credentials.
  returned: when Azure was asked
  type: str
"""
