"""Packets: VNets, nodes and clients as network namespaces, and the load balancer and NSGs between them.

Stands in for Azure's network. What it does follows from what the lab's Azure stores; nothing here is told by anyone else.
"""

from .datacentre import Datacentre

__all__ = ["Datacentre"]
