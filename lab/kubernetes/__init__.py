"""The lab's Kubernetes: one real control plane for each managedClusters resource."""

from .clusters import Clusters

__all__ = ["Clusters"]
