"""Packets: VNets, nodes and clients as network namespaces, and the load balancer and NSGs between them.

Stands in for Azure's network. What it does is derived from the resources that the lab's Azure stores, and what nodes do for pods from
what their cluster stores.
"""

from .datacentre import Datacentre

__all__ = ["Datacentre"]
