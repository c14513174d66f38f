"""What Microsoft.ContainerService refuses."""

from . import clusters, pools, sizes

__all__ = ["clusters", "pools", "sizes"]
