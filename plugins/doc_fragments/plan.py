# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  _input:
    description: The specification; see the role C(network) for its keys.
    type: dict
    required: true
  register:
    description: "The address register: C(stamps) and C(retired)."
    type: dict
    default: {}
"""
