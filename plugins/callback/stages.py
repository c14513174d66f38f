# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: stages
type: stdout
short_description: Show the stages of a run instead of its tasks
version_added: 1.0.0
author: The dualstack.aks contributors (@dualstack)
description:
  - Shows for each stamp which stage it is in, what has changed, what it waits for and since when. A stage is a role, or C(checks) for what is checked
    before anything is written.
  - Never hides a warning, a deprecation, a message of M(ansible.builtin.debug), a difference of C(--diff), what C(--check) would change, or
    a failure. A failure's message is shown completely, one line per problem.
  - Verbosity restores the output of P(ansible.builtin.default#callback) entirely, from C(-v) on. The options below are that plugin's and count then;
    O(display_failed_stderr), O(check_mode_markers), O(show_custom_stats) and those of the result's format always count.
  - Each message is one line, on a terminal and in a pipe. The recap at the end is Ansible's.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - Set it as C(stdout_callback) in the section C(defaults) of C(ansible.cfg), or in the environment variable E(ANSIBLE_STDOUT_CALLBACK).
"""

EXAMPLES = r"""
ansible.cfg: |
  # Enable the plugin
  [defaults]
  stdout_callback = dualstack.aks.stages
  # Failures of other collections' modules are easier to read as YAML
  callback_result_format = yaml
"""

import atexit
import threading
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from ansible import constants as C
from ansible.plugins.callback.default import CallbackModule as DefaultCallback

from ansible_collections.dualstack.aks.plugins.plugin_utils._printing import print_at_once
from ansible_collections.dualstack.aks.plugins.plugin_utils._stages import Stage, beside, block, changes_of, names_of, text_of, work_of

#: tasks whose message is all that there is to tell of a failure
_OWN_WORDS = ("dualstack.aks.", "ansible.builtin.fail", "ansible.builtin.assert")
#: what the line of a failure says already
_NO_NEWS = ("msg", "changed", "failed", "unreachable", "exception", "invocation", "diff")


def _unless_verbose[**P](method: Callable[P, None]) -> Callable[P, None]:
    """With ``-v`` the default callback's method of the same name runs instead."""

    @wraps(method)
    def chosen(*args: P.args, **kwargs: P.kwargs) -> None:
        plugin: Any = args[0]
        if plugin._display.verbosity > 0:
            getattr(DefaultCallback, method.__name__)(*args, **kwargs)
        else:
            method(*args, **kwargs)

    return chosen


class CallbackModule(DefaultCallback):  # type: ignore[misc]  # ansible-core ships no types
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "dualstack.aks.stages"

    def __init__(self) -> None:
        super().__init__()
        print_at_once()
        self._stage: Stage | None = None
        self._play_name = ""
        #: what debug said in the present task -> hosts
        self._said: dict[str, list[str]] = {}
        #: guards the stage, which the thread below reads
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @_unless_verbose
    def v2_playbook_on_start(self, playbook: Any) -> None:
        super().v2_playbook_on_start(playbook)
        if self._thread is None:
            self._thread = threading.Thread(target=self._report_waits, daemon=True, name="waits of stages")
            self._thread.start()
            # Ansible may end without a recap, and no thread may print while Python ends.
            atexit.register(self._stop)

    @_unless_verbose
    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._finish_stage()
        self._play = play
        self._play_name = play.get_name().strip()
        self._display.banner(f"PLAY [{self._play_name}]{' [CHECK MODE]' if play.check_mode else ''}")

    @_unless_verbose
    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._flush_said()

    @_unless_verbose
    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self._flush_said()

    @_unless_verbose
    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        with self._lock:
            stage = self._enter(task)
            stage.start(host.get_name(), task.get_name(), _clock(), time.monotonic())

    @_unless_verbose
    def v2_playbook_on_include(self, included_file: Any) -> None:
        """Which file is included is nothing that an operator waits for."""

    @_unless_verbose
    def v2_runner_on_ok(self, result: Any) -> None:
        changed = bool(result.result.get("changed", False))
        self._end(result, "changed" if changed else "")
        self._handle_warnings(result.result)
        if result.task.loop and "results" in result.result:
            return
        if result.task.action in C._ACTION_DEBUG:
            self._say(result)
        elif changed:
            self._show_changes(result)

    @_unless_verbose
    def v2_runner_item_on_ok(self, result: Any) -> None:
        self._handle_warnings(result.result)
        if result.task.action in C._ACTION_DEBUG:
            self._say(result)
        elif result.result.get("changed", False):
            self._show_changes(result, label=str(self._get_item_label(result.result)))
        elif result.task.action in ("assert", "ansible.builtin.assert", "ansible.legacy.assert"):
            # A loop around an assertion prints its label on one line, and does nothing else.
            self._line(f"ok: [{self.host_label(result)}]{beside(text_of(self._get_item_label(result.result)))}", C.COLOR_OK)

    @_unless_verbose
    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._end(result, "" if ignore_errors else "failed")
        if not (result.task.loop and "results" in result.result):
            self._show_failure(result, "fatal", "FAILED!")
        if ignore_errors:
            self._line("...ignoring", C.COLOR_SKIP)

    @_unless_verbose
    def v2_runner_item_on_failed(self, result: Any) -> None:
        self._show_failure(result, "failed", f"(item={self._get_item_label(result.result)})")

    @_unless_verbose
    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._end(result, "" if result.task.ignore_unreachable else "failed")
        self._show_failure(result, "fatal", "UNREACHABLE!")
        if result.task.ignore_unreachable:
            self._line("...ignoring", C.COLOR_SKIP)

    @_unless_verbose
    def v2_runner_on_skipped(self, result: Any) -> None:
        self._end(result)
        self._handle_warnings_and_exception(result)

    @_unless_verbose
    def v2_runner_item_on_skipped(self, result: Any) -> None:
        self._handle_warnings_and_exception(result)

    @_unless_verbose
    def v2_on_file_diff(self, result: Any) -> None:
        # The task has a line of its own, so the difference needs no banner above it.
        self._last_task_banner = result.task._uuid
        super().v2_on_file_diff(result)

    @_unless_verbose
    def v2_playbook_on_no_hosts_remaining(self) -> None:
        self._finish_stage()
        super().v2_playbook_on_no_hosts_remaining()

    @_unless_verbose
    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._finish_stage()
        self._stop()
        super().v2_playbook_on_stats(stats)

    def _enter(self, task: Any) -> Stage:
        """The stage of a task. A task outside any role continues the one before it."""
        name = _stage_of(task) or (self._stage.name if self._stage else self._play_name)
        if self._stage is None or self._stage.name != name:
            self._finish_stage()
            self._stage = Stage(name, time.monotonic())
            self._line(f"{_clock()} {name} | started", C.COLOR_HIGHLIGHT)
        return self._stage

    def _finish_stage(self) -> None:
        self._flush_said()
        stage, self._stage = self._stage, None
        if stage is not None and stage.hosts:
            self._line(f"{_clock()} {stage.name} | done in {stage.summary(time.monotonic())}", C.COLOR_HIGHLIGHT)

    def _end(self, result: Any, state: str = "") -> None:
        with self._lock:
            if self._stage is not None:
                self._stage.end(result.host.get_name(), state)

    def _say(self, result: Any) -> None:
        """Keep what debug says until the next task, so that hosts that say the same share a line."""
        self._clean_results(result.result, result.task.action)
        told = result.result
        text = text_of(told["msg"]) if isinstance(told.get("msg"), (str, list)) else self._dump_results(told).strip("\n")
        host = "" if result.task.run_once else self.host_label(result)
        self._said.setdefault(text, []).append(host)

    def _flush_said(self) -> None:
        said, self._said = self._said, {}
        for text, hosts in said.items():
            place = f"ok: [{names_of(hosts)}]" if any(hosts) else "ok:"
            self._line(f"{place}{beside(text)}", C.COLOR_WARN if text.startswith("WARNING") else C.COLOR_OK)

    def _show_changes(self, result: Any, label: str = "") -> None:
        check = bool(result.task.check_mode)
        work = work_of(result.task.get_name())
        changes = changes_of(result.result, check=check) or ([label] if label else [])
        told = f": {'; '.join(changes)}" if changes else ""
        self._line(f"changed: [{self.host_label(result)}]{' [CHECK MODE]' if check else ''} {work}{told}", C.COLOR_CHANGED)

    def _show_failure(self, result: Any, word: str, how: str) -> None:
        found = result.result
        self._flush_said()
        self._handle_warnings(found)
        message = text_of(found.get("msg", ""))
        to_errors = self.get_option("display_failed_stderr")
        is_told = bool(message) and str(result.task.resolved_action or result.task.action).startswith(_OWN_WORDS)
        if not is_told:
            self._handle_exception(found, use_stderr=to_errors)
        elif changes_of(found, check=False):
            # What was written before the failure.
            self._show_changes(result)
        place = f"{self._stage.name} | " if self._stage else ""
        head = f"{word}: [{self.host_label(result)}]: {how} => {place}{work_of(result.task.get_name())}"
        self._line(f"{head}:{block(message)}" if message else head, C.COLOR_ERROR, to_errors)
        rest = {} if is_told else {name: value for name, value in found.items() if name not in _NO_NEWS and not name.startswith("_ansible_")}
        if rest:
            self._line(self._dump_results(rest).strip("\n"), C.COLOR_ERROR, to_errors)

    def _line(self, text: str, color: str | None = None, to_errors: bool = False) -> None:
        self._display.display(text, color=color, stderr=to_errors)

    def _report_waits(self) -> None:
        while not self._ended.wait(1):
            with self._lock:
                waits = [f"{self._stage.name} | {found}" for found in self._stage.waiting(time.monotonic())] if self._stage else []
            for wait in waits:
                self._line(f"{_clock()} {wait}")

    def _stop(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()


def _clock() -> str:
    return time.strftime("%H:%M:%S")


def _stage_of(task: Any) -> str:
    """The outermost role that a task runs in, or ``checks``; empty outside roles."""
    role, place = None, task
    while place is not None:
        role = getattr(place, "_role", None) or role
        place = getattr(place, "_parent", None)
    if role is None:
        return ""
    file = Path(str(task.get_path() or "").rpartition(":")[0])
    return "checks" if file.stem == "validate" else str(role.get_name(include_role_fqcn=False))
