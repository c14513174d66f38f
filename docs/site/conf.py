"""The documentation site: what antsibull-docs writes into docs/build/rst, by Sphinx. ``make docs`` builds it."""

from __future__ import annotations

import zlib
from pathlib import Path

project = "dualstack.aks"
title = html_short_title = "dualstack.aks"
copyright = "The dualstack.aks contributors"

extensions = ["sphinx_antsibull_ext"]
html_theme = "sphinx_ansible_theme"
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
default_role = "any"

html_show_sphinx = False
html_use_index = False
html_copy_source = False

# Labels of Ansible's own documentation that the reference pages mention. Its whole inventory is megabytes that a build would fetch.
_ANSIBLE = "https://docs.ansible.com/projects/ansible/devel/"
_LABELS = {
    "action_plugins": "plugins/action.html#action-plugins",
    "ansible_collections.ansible.builtin.debug_module": "collections/ansible/builtin/debug_module.html",
    "ansible_collections.ansible.builtin.default_callback": "collections/ansible/builtin/default_callback.html",
    "ansible_collections.kubernetes.core.k8s_module": "collections/kubernetes/core/k8s_module.html",
    "ansible_configuration_settings": "reference_appendices/config.html#ansible-configuration-settings",
    "callback_plugins": "plugins/callback.html#callback-plugins",
    "common_return_values": "reference_appendices/common_return_values.html#common-return-values",
}
_VARIABLES = {"ANSIBLE_STDOUT_CALLBACK": "reference_appendices/config.html#envvar-ANSIBLE_STDOUT_CALLBACK"}


def _inventory(target: Path) -> str:
    """Write the labels and variables as Sphinx's inventory, version 2; its path."""
    head = "# Sphinx inventory version 2\n# Project: ansible\n# Version: devel\n# The remainder of this file is compressed using zlib.\n"
    roles = {"label": _LABELS, "envvar": _VARIABLES}
    lines = "".join(f"{name} std:{role} -1 {address} {name}\n" for role, known in roles.items() for name, address in known.items())
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(head.encode() + zlib.compress(lines.encode()))
    return str(target)


extensions.append("sphinx.ext.intersphinx")
intersphinx_mapping = {"ansible": (_ANSIBLE, _inventory(Path(__file__).parents[1] / "build" / "ansible.inv"))}
