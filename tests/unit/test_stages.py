"""What the callback ``stages`` prints of each event, and what it never hides."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ansible import context
from ansible.plugins.loader import callback_loader
from ansible.utils.display import Display

from ansible_collections.dualstack.aks.plugins.plugin_utils._stages import Stage, beside, changes_of, names_of, text_of, work_of

GROUP = "/subscriptions/s/resourceGroups/rg"
VNET = {"id": f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet", "action": "create"}
ASSIGNMENT = {"id": f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-00000000000a", "action": "create"}

CHILD = ["created subnets vnet/nodes", "updated resourceGroups rg"]
#: result, whether in check mode, what is told of it
CHANGES: list[tuple[dict[str, Any], bool, list[str]]] = [
    ({"resources": {"vnet": VNET, "group": {"id": GROUP, "action": "none"}}}, False, ["created virtualNetworks vnet"]),
    ({"resources": {"vnet": VNET}}, True, ["would create virtualNetworks vnet"]),
    ({"resources": {"nodes": {**VNET, "id": f"{VNET['id']}/subnets/nodes"}, "g": {"id": GROUP, "action": "update"}}}, False, CHILD),
    ({"resources": {f"access[{GROUP}]": ASSIGNMENT}}, False, ["created roleAssignments access[rg]"]),
    ({"resources": {"a": VNET, "b": {**VNET, "action": "delete"}}}, False, ["created virtualNetworks vnet", "deleted virtualNetworks vnet"]),
    ({"registered_providers": ["Microsoft.Network"]}, True, ["would register Microsoft.Network"]),
    ({"actions": ["nginx:1.30"]}, False, ["sent nginx:1.30"]),
    (
        {
            "result": {
                "results": [
                    {"changed": True, "method": "apply", "result": {"kind": "Service", "metadata": {"name": "a"}}},
                    {"changed": False, "method": "apply", "result": {"kind": "Service", "metadata": {"name": "b"}}},
                ]
            }
        },
        False,
        ["applied Service a"],
    ),
    ({"changed": True, "method": "delete", "result": {"kind": "ConfigMap", "metadata": {"name": "a"}}}, False, ["deleted ConfigMap a"]),
    ({"changed": True, "method": "delete", "result": {"kind": "Status", "metadata": {}}}, False, []),
    (
        {
            "result": {
                "results": [
                    {"changed": True, "method": "delete", "result": [{"kind": "Service", "metadata": {"name": "a"}}]},
                    {"changed": True, "method": "delete", "result": [{"kind": "Status", "details": {"name": "b", "kind": "deployments"}}]},
                    {"changed": False, "method": "delete", "result": {}},
                ]
            }
        },
        False,
        ["deleted Service a, deployments b"],
    ),
    ({"changed": True, "resources": [{"kind": "Node"}], "result": "text", "rc": 0}, False, []),
]


@pytest.mark.parametrize(("result", "check", "expected"), CHANGES)
def test_changes(result: dict[str, Any], check: bool, expected: list[str]) -> None:
    assert changes_of(result, check=check) == expected


@pytest.mark.parametrize(
    ("task", "work"),
    [
        ("dualstack.aks.network : Apply | Create the network", "Create the network"),
        ("Switch on | Publish AAAA", "Publish AAAA"),
        (" Show the plan", "Show the plan"),
        ("Compare a | b", "b"),
        ("Sum: a | b", "Sum: a | b"),
    ],
)
def test_work(task: str, work: str) -> None:
    assert work_of(task) == work


@pytest.mark.parametrize(("count", "expected"), [(1, "h0"), (4, "h0, h1, h2, h3"), (5, "h0, h1, h2 and 2 more"), (50, "h0, h1, h2 and 47 more")])
def test_names(count: int, expected: str) -> None:
    assert names_of(f"h{number}" for number in range(count)) == expected


@pytest.mark.parametrize(("message", "text"), [("a\n", "a"), (["a", "b"], "a\nb"), (7, "7")])
def test_text(message: Any, text: str) -> None:
    assert text_of(message) == text


def test_a_text_of_several_lines_stands_below() -> None:
    assert (beside("a"), beside("a\n\nb")) == (" a", "\n  a\n\n  b")


def test_a_stage_says_whom_it_waits_for_ever_more_rarely() -> None:
    stage = Stage("dns", began=0)
    for host in ("a", "b"):
        stage.start(host, "Publish | Write the records", "12:00:00", 0)
    reported = [second for second in range(1, 400) if stage.waiting(second)]
    assert reported == [15, 45, 105, 225, 345]
    stage.end("a")
    assert stage.waiting(1000) == ["waiting for b since 12:00:00 (1000 s): Write the records"]
    stage.end("b", "changed")
    assert stage.waiting(2000) == []
    assert stage.summary(2000.04) == "2000.0 s, 1 changed, 1 unchanged"


def test_a_new_task_is_awaited_anew() -> None:
    stage = Stage("dns", began=0)
    stage.start("a", "one", "12:00:00", 0)
    stage.end("a", "failed")
    stage.start("a", "two", "12:00:14", 14)
    assert stage.waiting(16) == []
    assert stage.waiting(29) == ["waiting for a since 12:00:14 (15 s): two"]
    stage.end("a", "changed")
    assert stage.summary(29) == "29.0 s, 1 failed"


def host(name: str) -> Any:
    return SimpleNamespace(get_name=lambda: name)


def task(name: str = "Apply | Create the network", role: str = "network", file: str = "apply", action: str = "dualstack.aks.azure_resources") -> Any:
    owner = SimpleNamespace(get_name=lambda include_role_fqcn=True: role) if role else None
    return SimpleNamespace(
        get_name=lambda: name,
        get_path=lambda: f"/roles/{role}/tasks/{file}.yml:2",
        action=action,
        resolved_action=action,
        check_mode=False,
        loop=None,
        run_once=False,
        ignore_unreachable=False,
        delegate_to=None,
        no_log=False,
        _role=owner,
        _parent=None,
        _uuid=name,
    )


class Screen:
    """The callback, and what it has printed."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self.plugin: Any = callback_loader.get("dualstack.aks.stages")
        self.plugin.set_options()
        self._captured = captured
        self.plugin.v2_playbook_on_play_start(SimpleNamespace(get_name=lambda: "A play", check_mode=False, strategy="linear"))
        self.take()

    def take(self) -> str:
        printed = self._captured.readouterr()
        return printed.out + printed.err

    def run(self, event: str, work: Any, name: str = "westeurope", **result: Any) -> str:
        """What a host's task prints that ends with this event."""
        self.plugin.v2_playbook_on_task_start(work, is_conditional=False)
        self.plugin.v2_runner_on_start(host(name), work)
        return self.end(event, work, name, **result)

    def end(self, event: str, work: Any, name: str = "westeurope", **result: Any) -> str:
        getattr(self.plugin, event)(SimpleNamespace(host=host(name), task=work, result=result, exception=None, warnings=[], deprecations=[]))
        return self.take()


@pytest.fixture
def screen(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    monkeypatch.setattr(time, "strftime", lambda _: "12:00:00")
    monkeypatch.setattr(Display(), "verbosity", 0)
    yield Screen(capsys)


def test_stages_of_a_play(screen: Screen) -> None:
    assert screen.run("v2_runner_on_ok", task()) == "12:00:00 network | started\n"
    # Outside a role the stage goes on.
    assert screen.run("v2_runner_on_ok", task("Look", role="")) == ""
    printed = screen.run("v2_runner_on_ok", task("Validate | Check", role="aks", file="validate"), changed=False)
    assert printed == "12:00:00 network | done in 0.0 s, 1 unchanged\n12:00:00 checks | started\n"
    # A role within a role is its stage.
    inner = task(role="network")
    inner._parent = SimpleNamespace(_role=SimpleNamespace(get_name=lambda include_role_fqcn=True: "verify"), _parent=None)
    assert screen.run("v2_runner_on_skipped", inner).endswith("12:00:00 verify | started\n")


def test_a_play_without_roles(screen: Screen) -> None:
    assert screen.run("v2_runner_on_ok", task("Look", role="")) == "12:00:00 A play | started\n"


def test_changed_resources(screen: Screen) -> None:
    printed = screen.run("v2_runner_on_ok", task(), changed=True, resources={"vnet": VNET})
    assert printed.endswith("changed: [westeurope] Create the network: created virtualNetworks vnet\n")
    checked = task()
    checked.check_mode = True
    assert screen.run("v2_runner_on_ok", checked, changed=True, resources={"vnet": VNET}).endswith(
        "changed: [westeurope] [CHECK MODE] Create the network: would create virtualNetworks vnet\n"
    )
    assert screen.run("v2_runner_on_ok", task("Write a file"), changed=True) == "changed: [westeurope] Write a file\n"


def test_all_violations_of_a_failure(screen: Screen) -> None:
    printed = screen.run("v2_runner_on_failed", task(action="ansible.builtin.fail"), msg="- a [rule_a].\n- b [rule_b].", failed=True)
    assert printed.endswith("fatal: [westeurope]: FAILED! => network | Create the network:\n  - a [rule_a].\n  - b [rule_b].\n")


def test_what_was_written_before_a_failure(screen: Screen) -> None:
    printed = screen.run("v2_runner_on_failed", task(), msg="x", resources={"vnet": VNET}, failures=[{"code": "y"}], failed=True)
    assert "changed: [westeurope] Create the network: created virtualNetworks vnet\nfatal: [westeurope]: FAILED!" in printed
    assert "failures" not in printed


def test_whatever_another_collection_tells_of_a_failure(screen: Screen) -> None:
    printed = screen.run("v2_runner_on_failed", task(action="ansible.builtin.command"), msg="rc", rc=3, stderr="no such file", _ansible_no_log=False)
    assert "FAILED! => network | Create the network:\n  rc\n" in printed
    assert "no such file" in printed and "3" in printed and "_ansible" not in printed


def test_an_ignored_failure_and_an_unreachable_host(screen: Screen) -> None:
    work = task(action="ansible.builtin.fail")
    screen.plugin.v2_playbook_on_task_start(work, is_conditional=False)
    screen.plugin.v2_runner_on_start(host("westeurope"), work)
    screen.plugin.v2_runner_on_failed(SimpleNamespace(host=host("westeurope"), task=work, result={"msg": "m"}), ignore_errors=True)
    assert screen.take().endswith("  m\n...ignoring\n")
    assert "UNREACHABLE! => network | Create the network:\n  no route\n" in screen.run("v2_runner_on_unreachable", task(), msg="no route")


def test_failures_of_a_loop(screen: Screen) -> None:
    work = task(action="ansible.builtin.fail")
    work.loop = ["a"]
    assert "failed: [westeurope]: (item=the a) => network | Create the network:\n  m\n" in screen.run(
        "v2_runner_item_on_failed", work, msg="m", _ansible_item_label="the a"
    )
    assert screen.end("v2_runner_on_failed", work, msg="One or more items failed", results=[{}]) == ""


def test_hosts_that_say_the_same_share_a_line(screen: Screen) -> None:
    work = task("Show", action="ansible.builtin.debug")
    screen.run("v2_runner_on_ok", work, "a", msg="the same")
    for name, text in (("b", "the same"), ("c", ["one", "two"])):
        screen.plugin.v2_runner_on_start(host(name), work)
        assert screen.end("v2_runner_on_ok", work, name, msg=text) == ""
    assert screen.run("v2_runner_on_ok", task()) == "ok: [a, b] the same\nok: [c]\n  one\n  two\n"


def test_a_variable_that_debug_shows(screen: Screen) -> None:
    screen.run("v2_runner_on_ok", task("Show", action="ansible.builtin.debug"), changed=False, groups=["a"])
    assert "groups" in screen.run("v2_runner_on_ok", task())


def test_the_label_of_an_assertion_in_a_loop(screen: Screen) -> None:
    work = task("Summarize the stamp", action="ansible.builtin.assert")
    assert screen.run("v2_runner_item_on_ok", work, _ansible_item_label="IPv4 up").endswith("ok: [westeurope] IPv4 up\n")


def test_differences(screen: Screen) -> None:
    own: dict[str, Any] = {"diff": [{"before": "a\n", "after": "b\n"}], "changed": True}
    assert "-a\n+b\n" in screen.run("v2_on_file_diff", task(), **own)


def test_warnings_and_deprecations(screen: Screen) -> None:
    told: list[str] = []
    work, plugin = task(), screen.plugin
    plugin._display = SimpleNamespace(_warning=told.append, _deprecated=told.append, display=lambda *_, **__: None, verbosity=0)
    for event in ("v2_runner_on_ok", "v2_runner_item_on_ok", "v2_runner_on_skipped", "v2_runner_item_on_skipped", "v2_runner_on_failed"):
        result = {"warnings": ["w"], "deprecations": ["d"], "msg": "m", "_ansible_item_label": "a"}
        found = SimpleNamespace(host=host("a"), task=work, result=result, exception=None, warnings=[f"{event} w"], deprecations=[f"{event} d"])
        plugin._current_task_result = found
        getattr(plugin, event)(found)
        assert told[-2:] == [f"{event} w", f"{event} d"]


def test_waits_are_reported_meanwhile(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "CLIARGS", {"check": False})
    monkeypatch.setattr(Stage, "waiting", lambda *_: ["waiting for westeurope"])
    plugin, work = screen.plugin, task()
    plugin.v2_playbook_on_start(SimpleNamespace(_file_name="site.yml"))
    plugin.v2_runner_on_start(host("westeurope"), work)
    time.sleep(1.5)
    plugin._stop()
    assert "12:00:00 network | waiting for westeurope\n" in screen.take()
    time.sleep(1.5)
    assert screen.take() == ""


def test_verbosity_is_ansible_s_own_output(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    default = callback_loader.get("ansible.builtin.default")
    default.set_options()
    monkeypatch.setattr(Display(), "verbosity", 1)
    printed = []
    for plugin in (default, screen.plugin):
        screen.plugin = plugin
        plugin.v2_playbook_on_play_start(SimpleNamespace(get_name=lambda: "A play", check_mode=False, strategy="linear"))
        printed.append(screen.run("v2_runner_on_ok", task(action="ansible.builtin.command"), changed=True, rc=0))
    assert printed[0] == printed[1]
    assert "TASK [Apply | Create the network]" in printed[0] and "changed: [westeurope] =>" in printed[0]
