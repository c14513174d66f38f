from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Reads in check mode too.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
"""
