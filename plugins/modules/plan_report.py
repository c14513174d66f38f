# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# The documentation of the action plugin of the same name; nothing runs from here.
from __future__ import annotations

DOCUMENTATION = r"""
module: plan_report
short_description: Draw the address plan
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Writes one HTML page with the address map of all stamps, to scale in both families, and a map and a table for each stamp.
  - The page loads nothing and needs no network.
options:
  address_register:
    description: The address register, C(stamps) and C(retired), as P(dualstack.aks.fleet_plan#filter) returns it.
    type: dict
    required: true
  stamps:
    description: The stamps to show first; the register's other stamps follow.
    type: list
    elements: str
    default: []
  path:
    description: The file to write; its folder is created.
    type: path
    required: true
attributes:
  check_mode:
    description: Also writes the page in check mode.
    support: none
  diff_mode:
    description: Shows no differences.
    support: none
"""

EXAMPLES = r"""
- name: Draw the plan of two stamps
  dualstack.aks.plan_report:
    address_register: "{{ ([{'organisation': 'example', 'stamp': 'westeurope'}, {'organisation': 'example', 'stamp': 'northeurope'}]
      | dualstack.aks.fleet_plan).register }}"
    stamps: [westeurope, northeurope]
    path: "{{ playbook_dir }}/plan.html"
"""

RETURN = r"""
path:
  description: The file.
  returned: always
  type: str
"""
