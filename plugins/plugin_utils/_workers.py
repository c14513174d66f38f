"""What Ansible's workers need, loaded before they begin.

This file is private to the collection.

Ansible forks a worker for every task and host. The class of the task's action it loads before that. Filters each worker loads for itself: for one
filter all of its collection, from source, since Ansible keeps no compiled copy. What an action loads when it is imported, later workers find.
"""

from __future__ import annotations

import gc
import os

from ansible.plugins.loader import filter_loader

# A worker's garbage collection would write to each object that the worker found, loaded code and what Ansible has gathered of all hosts alike,
# and each page of them be copied (docs.python.org, gc.freeze).
os.register_at_fork(after_in_child=gc.freeze)


def load_filters() -> None:
    """All of this collection, as Ansible does for any of them."""
    filter_loader.get("dualstack.aks.resource_id")
