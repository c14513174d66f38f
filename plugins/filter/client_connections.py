from __future__ import annotations

from typing import Any

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.connections import client_connections

DOCUMENTATION = r"""
name: client_connections
short_description: How many clients are connected to a pod
version_added: 0.1.0
author: The dualstack.aks contributors
description:
  - Counts established connections to the ports that something in the pod listens on, in the text of C(/proc/net/tcp) and C(/proc/net/tcp6).
  - Ports that follow, such as that of health checks, do not count.
options:
  _input:
    description: Both files after one another.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Nobody is connected
  ansible.builtin.assert:
    that: sockets | dualstack.aks.client_connections(8081) == 0
  vars:
    sockets: "   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000"
"""

RETURN = r"""
_value:
  description: The number of connections.
  type: int
"""


class FilterModule:
    def filters(self) -> dict[str, Any]:
        return {"client_connections": client_connections}
