"""Templates find the collection's plugins only where Ansible's loader came before the first import of ``ansible_collections``."""

from __future__ import annotations

from ansible.plugins.loader import init_plugin_loader

init_plugin_loader()
