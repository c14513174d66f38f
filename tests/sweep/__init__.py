"""The fault sweep: the engine meets each fault at each request of a stamp's build and change, and must end right after one further run."""

from __future__ import annotations

from ansible.plugins.loader import init_plugin_loader

# The collection is found by its full name only where Ansible's loader came first.
init_plugin_loader()
