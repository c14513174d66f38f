"""The collection by its full name, in the tests' own process."""

from __future__ import annotations

from ansible.plugins.loader import init_plugin_loader
from ansible.utils.collection_loader import AnsibleCollectionConfig


def find_collections() -> None:
    """Call it before the first import of ``ansible_collections``: what templates use is found only where Ansible's loader came first."""
    if not AnsibleCollectionConfig.collection_finder:
        init_plugin_loader()
