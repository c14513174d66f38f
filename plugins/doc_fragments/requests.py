# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  resource_group:
    description: Resource group of resources without C(parent).
    type: str
    default: ""
  read_timeout:
    description: Maximum seconds to wait for one answer of Azure.
    type: float
    default: 120
  parallelism:
    description: Requests in flight at once.
    type: int
    default: 8
"""
