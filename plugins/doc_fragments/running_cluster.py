# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  cluster_id:
    description: Id of the managed cluster.
    type: str
    required: true
  network_policies:
    description:
      - Who enforces network policies afterwards. V(keep) means Cilium if an engine enforces them now, V(cilium) Cilium, V(none) nobody.
      - A cluster that has Cilium keeps it.
    type: str
    choices: [keep, cilium, none]
    default: keep
  stamp:
    description: Name of the stamp that the cluster becomes, as in the register; its region when empty.
    type: str
    default: ""
  organisation:
    description: Organisation from which, with the stamp's name, unique local prefixes are derived; the cluster's subscription when empty.
    type: str
    default: ""
  ipv6_prefix:
    description: Own IPv6 space, V(/48) or shorter, that the stamp takes a slice of; empty for a unique local prefix.
    type: str
    default: ""
"""
