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
