"""What Microsoft.ContainerService refuses."""

from . import clusters, pools

__all__ = ["clusters", "pools"]
