"""What Microsoft.ContainerService refuses."""

from . import changes, clusters, pools, sizes

__all__ = ["changes", "clusters", "pools", "sizes"]
