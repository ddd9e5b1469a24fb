# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts return, read by the controller: nonsense of one host is said of that host, and the others are shown."""

from __future__ import annotations

import copy
import json
import math
import random
import re
from typing import Any, Callable, Iterator

import pytest
import yaml

from ansible_collections.wasmops.wasmtime.plugins.filter.cache_fleet import cache_fleet
from ansible_collections.wasmops.wasmtime.plugins.filter.cache_page import cache_page
from ansible_collections.wasmops.wasmtime.plugins.filter.cache_pruned import cache_pruned
from ansible_collections.wasmops.wasmtime.plugins.filter.cache_report import cache_report
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import DIALECTS
from ansible_collections.wasmops.wasmtime.plugins.modules import (
    cache_config,
    cache_config_info,
    cache_prune,
    cache_usage_info,
)
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._results import (
    CHANGED,
    FILE,
    LIBRARIES,
    LOOKED_AT,
    MOST_DIFF,
    MOST_DIFFS,
    MOST_ITEMS,
    MOST_LINES,
    MOST_PROBLEMS,
    MOST_TEXT,
    SUGGESTIBLE,
    USAGE,
    Malformed,
    Record,
    anything,
    code,
    count,
    dict_of,
    flag,
    integer,
    list_of,
    nullable,
    one_of,
    real,
    reason,
    received,
    share,
    table,
    text,
)

# Everything that acts on a terminal or makes a line: controls of both kinds, line ends, marks of direction, a lone surrogate.
HOSTILE = "a\x1b[2J\x9b31m\r\n\x00\x7f\x85\u2028\u202e\u2066\u200f\ufeff\udc9b{{ 1 }}</script>"


def sampled(fields: dict[str, Any]) -> dict[str, Any]:
    """A result made of the samples in the documentation."""
    return {
        name: field["sample"] if "sample" in field else sampled(field["contains"])
        for name, field in fields.items()
        if "sample" in field or field.get("type") == "dict"
    }


def documented(module: Any) -> dict[str, Any]:
    """The fields of a result in the documentation."""
    found: dict[str, Any] = yaml.safe_load(module.RETURN)
    return found


def one_each(fields: dict[str, Any]) -> dict[str, Any]:
    """A result with one entry in each list and none of the values null."""
    found: dict[str, Any] = {}
    for name, field in fields.items():
        if field.get("elements") == "dict" and "contains" in field:
            found[name] = [one_each(field["contains"])]
        elif field.get("type") == "dict" and "contains" in field:
            found[name] = one_each(field["contains"])
        else:
            found[name] = field.get("sample")
    return found


PROBLEM = one_each(documented(cache_config_info)["problems"]["contains"])
LOOK: dict[str, Any] = dict(one_each(documented(cache_config_info)), changed=False)
MEASURED: dict[str, Any] = dict(one_each(documented(cache_usage_info)), changed=False, stopped_by=None)
PRUNED: dict[str, Any] = dict(one_each(documented(cache_prune)), changed=False, stopped_by=None)
APPLIED: dict[str, Any] = {
    name: value for name, value in one_each(documented(cache_config)).items() if name not in ("diff", "changed")
}
BASES: list[tuple[dict[str, Any], Record]] = [(LOOK, LOOKED_AT), (MEASURED, USAGE), (APPLIED, CHANGED)]


@pytest.mark.parametrize(
    ("module", "reader"),
    [(cache_config, CHANGED), (cache_config_info, LOOKED_AT), (cache_usage_info, USAGE)],
    ids=["cache_config", "cache_config_info", "cache_usage_info"],
)
def test_what_is_documented_is_taken_and_kept(module: Any, reader: Record) -> None:
    example = one_each(documented(module))
    example.pop("changed", None)
    example.pop("diff", None)
    assert reader(example) == example


@pytest.mark.parametrize("base", [LOOK, MEASURED, APPLIED], ids=["look", "usage", "applied"])
def test_a_result_passes_the_border_as_it_is(base: dict[str, Any]) -> None:
    reader = next(reader for other, reader in BASES if other is base)
    result = dict(
        base, changed=True, invocation={"module_args": {"path": "/c"}}, warnings=["one"], _ansible_no_log=False
    )
    assert received(result, reader) == result


def test_nothing_else_passes_the_border() -> None:
    powers = {
        "ansible_facts": {"wasmtime_cache_path": "/evil", "discovered_interpreter_python": "/usr/bin/python3"},
        "ansible_stats": {"data": {"a": 1}},
        "add_host": {"host_name": "evil"},
        "add_group": "evil",
        "unreachable": True,
        "results": [],
        # With these, a host on which nothing was done would not count as failed.
        "skipped": True,
        "ansible_job_id": "j1.2",
        "started": 1,
        "finished": 0,
        "results_file": "/j",
    }
    # This fact is the controller's own: Ansible removes it from answers.
    kept = {"ansible_facts": {"discovered_interpreter_python": "/usr/bin/python3"}}
    assert received({**LOOK, **powers}, LOOKED_AT) == {**LOOK, **kept}
    failure = {"failed": True, "msg": "no"}
    assert received({**failure, **powers, "path": "/c"}, LOOKED_AT) == {**failure, **kept, "path": "/c"}


@pytest.mark.parametrize(
    ("facts", "kept"),
    [
        ({"discovered_interpreter_python": "/p", "a": 1}, {"ansible_facts": {"discovered_interpreter_python": "/p"}}),
        ({"a": 1}, {}),
        ({}, {}),
        ([["discovered_interpreter_python", "/p"]], {}),
        (None, {}),
    ],
    ids=str,
)
def test_of_facts_there_is_only_what_ansible_itself_has_found(facts: Any, kept: dict[str, Any]) -> None:
    assert received({**LOOK, "ansible_facts": facts}, LOOKED_AT) == {**LOOK, **kept}
    assert received({"changed": False, "ansible_facts": facts}, LOOKED_AT) == {
        **kept, "failed": True, "changed": False, "msg": "malformed result: problems is missing",
    }  # fmt: skip


def test_only_a_failure_may_be_a_part() -> None:
    failed = {"failed": True, "changed": False, "msg": "no", "details": "more", "rc": 1, "path": "/c"}
    assert received(failed, LOOKED_AT) == failed
    for other in ({"failed": False}, {"skipped": True}, {"ansible_job_id": "j1.2", "started": 1, "finished": 0}):
        answer = received({"changed": False, **other}, LOOKED_AT)
        assert answer == {"failed": True, "changed": False, "msg": "malformed result: problems is missing"}
    # Only a failure has these.
    assert received({**LOOK, "missing_libraries": [], "details": "x"}, LOOKED_AT) == LOOK


def test_an_answer_without_an_end_is_malformed() -> None:
    answer = received({"failed": True, "changed": True, "warnings": deep(100_000), "_ansible_no_log": False}, CHANGED)
    assert answer == {
        "_ansible_no_log": False,
        "failed": True,
        "changed": True,
        "msg": "malformed result: it has too many levels; the host may have been changed",
    }


def test_what_ansible_shows_keeps_lines_where_it_is_a_text_of_lines() -> None:
    written = "\ufeffa\r\nb\tc\n\x1b"
    in_lines, in_one = "\ufeffa\r\nb\tc\n\\x1b", "\\ufeffa\\r\\nb\\tc\\n\\x1b"
    answer = received(
        {
            "failed": True,
            "exception": written,
            **dict.fromkeys(("module_stderr", "module_stdout", "msg"), written),
            "deprecations": [{"msg": written, "date": written}, written],
            "diff": {"before": written, "after": written, "before_header": written},
            "invocation": {"module_args": {"path": written, "n": [1, None, True, written]}},
            "warnings": [written],
        },
        CHANGED,
    )
    assert answer == {
        "failed": True,
        # Ansible shows it, and no line may look like one of its own.
        "exception": "\ufeffa\r\n  b\tc\n  \\x1b",
        **dict.fromkeys(("module_stderr", "module_stdout", "msg"), in_lines),
        "deprecations": [{"msg": in_one, "date": in_one}, in_one],
        "diff": {"before": in_lines, "after": in_lines, "before_header": in_one},
        "invocation": {"module_args": {"path": in_one, "n": [1, None, True, in_one]}},
        "warnings": [in_one],
    }


@pytest.mark.parametrize("name", ["msg", "module_stderr", "module_stdout"])
@pytest.mark.parametrize("value", [None, 5, ["a"], {}], ids=str)
def test_these_are_texts_in_every_answer(name: str, value: Any) -> None:
    assert received({**LOOK, name: value}, LOOKED_AT)["msg"] == "malformed result: %s is not text" % name


@pytest.mark.parametrize("names", [[], list(LIBRARIES), ["tomli", "tomli"]])
def test_libraries_of_the_table_are_taken(names: list[str]) -> None:
    failure = {"failed": True, "msg": "no", "missing_libraries": names}
    assert received(failure, CHANGED) == failure


@pytest.mark.parametrize(
    "names",
    [
        ["f2py=1' -c '/home/ci/apt.conf '"],
        ["tomli", "curl"],
        ["tomli "],
        ["-o"],
        "tomli",
        {"tomli": 1},
        [["tomli"]],
        [None],
        [{}],
        None,
        5,
        float("nan"),
        ["tomli"] * (MOST_ITEMS + 1),
    ],
)
def test_no_other_library_is_and_the_failure_is_one_sentence(names: Any) -> None:
    answer = received({"failed": True, "changed": True, "msg": "no", "missing_libraries": names}, CHANGED)
    assert set(answer) == {"failed", "changed", "msg"}
    assert answer["failed"] is True
    assert answer["msg"].startswith("malformed result: missing_libraries")
    assert "\n" not in answer["msg"]


@pytest.mark.parametrize("changed", [True, False, "yes", 1, None])
def test_a_malformed_answer_counts_as_a_change_if_it_says_so(changed: Any) -> None:
    wrong = "malformed result: problems is not a list of at most 200 entries"
    if not isinstance(changed, bool):
        wrong = "malformed result: changed is not true or false"
    assert received({"changed": changed, "problems": 5}, CHANGED) == {
        "failed": True,
        "changed": changed is True,
        "msg": wrong + ("; the host may have been changed" if changed is True else ""),
    }


@pytest.mark.parametrize("message", [None, 5, {"a": 1}, ["a"], {}])
def test_a_message_that_is_no_text_is_malformed(message: Any) -> None:
    assert received({"failed": True, "msg": message}, CHANGED)["msg"] == "malformed result: msg is not text"
    assert reason({"msg": message}) == "malformed result: msg is not text"


def test_a_message_keeps_its_lines_and_no_other_control() -> None:
    answer = received({"failed": True, "msg": "one:\n- two\x1b[2J\r- three", "module_stderr": "a\nb\x9b"}, CHANGED)
    assert answer["msg"] == "one:\n- two\\x1b[2J\\r- three"
    assert answer["module_stderr"] == "a\nb\\x9b"


def test_messages_in_ansible_s_own_classes_are_printable_too() -> None:
    from ansible.module_utils._internal import _messages as messages

    chain = messages.EventChain(msg_reason="r", traceback_reason="t", event=messages.Event(msg="in\x1bner"))
    event = messages.Event(
        msg="a\x1b[2J\nfatal: [good]: FAILED!",
        formatted_traceback="one\ntwo\u202e",
        chain=chain,
        events=(messages.Event(msg="x\nok: [good]"),),
    )
    answer = received(
        {
            "failed": True,
            "msg": "no",
            "exception": messages.ErrorSummary(event=event),
            "warnings": [messages.WarningSummary(event=event)],
            "deprecations": [messages.DeprecationSummary(event=event, version="1\n2")],
        },
        CHANGED,
    )
    shown = {"exception": answer["exception"], "warning": answer["warnings"][0], "old": answer["deprecations"][0]}
    for name, summary in shown.items():
        # No line of a host may look like one of Ansible's own.
        apart = "\n  " if name == "exception" else "\\n"
        assert summary.event.msg == "a\\x1b[2J%sfatal: [good]: FAILED!" % apart
        assert summary.event.formatted_traceback == "one%stwo\\u202e" % apart
        assert summary.event.events[0].msg == "x%sok: [good]" % apart
        assert summary.event.chain.event.msg == "in\\x1bner"
    assert shown["old"].version == "1\\n2"


def test_no_text_and_no_number_keeps_the_tags_of_ansible() -> None:
    """Ansible shows the message of a tag wherever the value is used."""
    from ansible.module_utils._internal._datatag import AnsibleTagHelper, _tags

    def tagged(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: tagged(part) for name, part in value.items()}
        if isinstance(value, list):
            return [tagged(part) for part in value]
        return value if value is None or isinstance(value, bool) else _tags.Deprecated(msg="FAKE").tag(value)

    def tags(value: Any) -> list[Any]:
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return [*AnsibleTagHelper.tags(value), *(tag for part in parts for tag in tags(part))]

    shown = {
        **dict.fromkeys(("msg", "exception", "module_stdout"), "x"),
        "warnings": ["x"],
        "diff": [{"before": "a", "after": {"mode": "0600", "uid": 5}}],
        "invocation": {"module_args": {"path": "/c", "n": 5, "f": 0.5}},
        "rc": 5,
    }
    for base, reader in BASES:
        answer = received(tagged({**base, **shown}), reader)
        assert tags(tagged(base))
        assert tags(answer) == []
        assert received({**base, **shown}, reader) == answer


DIFF = {"before_header": "/c", "after_header": "/c", "before": "a\n", "after": "b\n"}
FACTS: dict[str, Any] = {"mode": "0600", "uid": 5, "exists": False, "owner": None, "secontext": ["u", "r", "t", "s0"]}


@pytest.mark.parametrize(
    "diff",
    [
        [],
        DIFF,
        [DIFF, dict(DIFF, before={}, after=FACTS), dict(DIFF, before=FACTS, after=FACTS)],
        [dict(DIFF, before="x" * MOST_DIFF, after="\n" * MOST_LINES)],
    ],
    ids=["empty", "prune", "config", "long"],
)
def test_a_diff_of_files_and_facts_is_taken(diff: Any) -> None:
    assert received({**APPLIED, "diff": diff}, CHANGED)["diff"] == diff


@pytest.mark.parametrize("long", ["x" * (MOST_DIFF + 1), "\n" * (MOST_LINES + 1)], ids=["text", "lines"])
def test_a_text_that_is_too_long_for_a_diff_does_not_fail_a_run_that_has_ended(long: str) -> None:
    taken = received({**APPLIED, "diff": [dict(DIFF, before=long)]}, CHANGED)
    said = "text of more than 4194304 characters or 10000 lines, which is not shown\n"
    assert (taken["diff"], "failed" in taken) == ([dict(DIFF, before=said)], False)


@pytest.mark.parametrize(
    ("diff", "wrong"),
    [
        (None, "diff is not a list of at most 10 entries"),
        ("x", "diff is not a list of at most 10 entries"),
        ([DIFF] * (MOST_DIFFS + 1), "diff is not a list of at most 10 entries"),
        ([{}, 3], "diff.1 is not a dictionary"),
        ({"before": 5, "after": [1]}, "diff.before is not a dictionary of at most 1000 entries"),
        ([dict(DIFF, after=[1])], "diff.0.after is not a dictionary of at most 1000 entries"),
        (dict(DIFF, after_header=5), "diff.after_header is not text"),
        # Python would compare the lines for minutes.
        (dict(DIFF, after={"a": ["x"] * 11}), "diff.after.a is not a list of at most 10 entries"),
        (dict(DIFF, after={"a": {}}), "diff.after.a is not a whole number within 2^80"),
    ],
)
def test_any_other_diff_is_malformed(diff: Any, wrong: str) -> None:
    assert received({**APPLIED, "diff": diff}, CHANGED)["msg"] == "malformed result: " + wrong


def test_what_ansible_shows_of_a_diff_is_its_keys_alone() -> None:
    assert (
        received({**APPLIED, "diff": {**DIFF, "prepared": "fatal: [good]", "src_larger": "x"}}, CHANGED)["diff"] == DIFF
    )


def test_usages_and_limits_are_consistent() -> None:
    for name, value, wrong in (
        ("usages", {"total": 5, "least": None, "most": None}, "usages has no least or no most"),
        ("usages", {"total": 5, "least": 1, "most": None}, "usages has no least or no most"),
        (
            "limits",
            {"file_count_soft_limit": {"limit": None, "used": 5, "percent": 3.0}},
            "limits.file_count_soft_limit.percent is a part of no limit",
        ),
    ):
        with pytest.raises(Malformed, match="^malformed result: %s$" % re.escape(wrong)):
            USAGE(dict(MEASURED, **{name: value}))
    nothing = {"usages": {"total": 0, "least": None, "most": None}}
    assert USAGE(dict(MEASURED, **nothing))["usages"] == nothing["usages"]


def places(value: Any, resolved: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to all values in JSON data."""
    yield resolved
    if len(resolved) > 12:
        return
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places(part, (*resolved, key))


def deep(levels: int) -> Any:
    value: Any = []
    for _level in range(levels):
        value = [value]
    return value


DEEP = deep(2000)  # more than Python's own functions go down
NONSENSE: list[Callable[[], Any]] = [
    lambda: None, lambda: True, lambda: 0, lambda: -1, lambda: 5, lambda: 0.5, lambda: 1e308, lambda: math.nan,
    lambda: math.inf, lambda: -math.inf, lambda: 2**64, lambda: 10**400, lambda: -(10**400), lambda: "", lambda: "x",
    lambda: HOSTILE, lambda: "x" * (MOST_TEXT + 1), list, dict, lambda: [None], lambda: [[]], lambda: [{}],
    lambda: {"a": 1}, lambda: {5: 1}, lambda: {None: "x"}, lambda: {HOSTILE: HOSTILE}, lambda: DEEP,
    lambda: ["x"] * (MOST_ITEMS + 1), lambda: ("a", "b"), lambda: {"failed": True}, lambda: b"\xff", object,
]  # fmt: skip


def mutated(base: Any, chance: random.Random) -> Any:
    """The data with one or a few values replaced, left out, or named in another way."""
    data = copy.deepcopy(base)
    for _time in range(chance.choice((1, 1, 1, 2, 4))):
        resolved = chance.choice(list(places(data)))
        if not resolved:
            if chance.random() < 0.1:
                return chance.choice(NONSENSE)()
            continue
        parent = data
        for key in resolved[:-1]:
            parent = parent[key]
        action = chance.randrange(6)
        if action == 0:
            del parent[resolved[-1]]
        elif action == 1 and isinstance(parent, dict):
            parent[chance.choice((5, None, HOSTILE, "x"))] = parent.pop(resolved[-1])
        else:
            parent[resolved[-1]] = chance.choice(NONSENSE)()
    return data


def is_plain(value: Any) -> bool:
    """Whether all texts in JSON data are printable."""
    if isinstance(value, dict):
        return all(is_plain(key) and is_plain(part) for key, part in value.items())
    if isinstance(value, list):
        return all(map(is_plain, value))
    return not isinstance(value, str) or value.isprintable()


def data_in(page: str) -> str:
    """The data in a page, which has to be JSON."""
    (written,) = re.findall('<script type="application/json" id="data">(.*)</script>', page)

    def no_json(constant: str) -> Any:
        raise AssertionError(constant)

    return str(json.loads(written, parse_constant=no_json))


GOOD: dict[str, Any] = dict(LOOK, valid=True, safe=True, problems=[])
HOSTS_AT_ONCE = 250


@pytest.mark.parametrize("seed", range(10))
def test_nonsense_of_some_hosts_leaves_the_others_as_they_are(seed: int) -> None:
    """1,000 mutated results of each seed: 10,000 in all, and as many of the report's own data."""
    chance = random.Random(seed)
    alone = cache_fleet({"good": GOOD}, {"good": MEASURED}, "now", {"good": PRUNED})["hosts"][0]
    assert alone["prunable"]["kinds"]["untrusted"]["count"]
    for _round in range(1000 // HOSTS_AT_ONCE):
        names = ["bad-%d" % number for number in range(HOSTS_AT_ONCE)]
        configs: dict[str, Any] = {name: mutated(LOOK, chance) for name in names}
        usages: dict[str, Any] = {name: mutated(MEASURED, chance) for name in names}
        pruned: dict[str, Any] = {name: mutated(PRUNED, chance) for name in names}
        configs["good"], usages["good"], pruned["good"] = GOOD, MEASURED, PRUNED
        lines = cache_report(configs, by_host=True)
        assert is_plain(lines)
        assert lines[-1].startswith("%d hosts: " % len(configs))
        for result in (*configs.values(), *usages.values()):
            # What is no result at all is the fault of the playbook.
            if isinstance(result, dict) and ("problems" in result or "next_cleanup" in result):
                assert is_plain(cache_report(result))
        assert is_plain(cache_pruned(pruned))
        data = cache_fleet(configs, usages, "now", pruned)
        assert is_plain(data)
        assert json.loads(json.dumps(data, allow_nan=False)) == data
        assert [host["name"] for host in data["hosts"]] == list(configs)
        (good,) = [host for host in data["hosts"] if host["name"] == "good"]
        assert dict(good, differs=[]) == dict(alone, differs=[])
        assert data["totals"]["hosts"] == sum(data["totals"]["verdicts"].values()) == len(configs)
        page = cache_page(data)
        assert page.count("<script") == 2
        assert "good" in data_in(page)
        again = dict(data, hosts=[mutated(host, chance) for host in data["hosts"][:-1]] + data["hosts"][-1:])
        page = cache_page(again)
        assert "good" in data_in(page)


@pytest.mark.parametrize("percent", [-1, -26.0, -150, -1000, -(10**30)])
def test_what_cannot_be_negative_is_malformed(percent: float) -> None:
    limits = {name: dict(limit, percent=percent) for name, limit in MEASURED["limits"].items()}
    hosts = cache_fleet({"a": GOOD, "b": GOOD}, {"a": dict(MEASURED, limits=limits), "b": MEASURED}, "now")["hosts"]
    assert hosts[0]["usage_message"].startswith("malformed result: limits.")
    assert hosts[0]["fullness"] == "not known"
    assert hosts[1]["usage"] is not None
    for name in ("entries", "size"):
        (host,) = cache_fleet({"a": GOOD}, {"a": dict(MEASURED, **{name: -1})}, "now")["hosts"]
        assert host["usage_message"] == "malformed result: %s is less than 0" % name


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("directory", "/srv"),
        ("cleanup_interval", "1d"),
        ("worker_event_queue_size", "16"),
        ("files_total_size_soft_limit", "{{ lookup('pipe', 'id') }}"),
        ("files_total_size_soft_limit", "2Gi # x"),
        ("files_total_size_soft_limit", " 2Gi"),
        ("files_total_size_soft_limit", "2048Mi"),
        ("files_total_size_soft_limit", "98304Ki"),
        ("files_total_size_soft_limit", 2**31),
        ("file_count_soft_limit", "100000"),
        ("file_count_soft_limit", True),
        ("optimized_compression_level", "9"),
        ("optimized_compression_level", 22),
        ("optimized_compression_level", -1),
        ("optimized_compression_level", True),
        ("optimized_compression_level", None),
    ],
)
def test_what_people_paste_is_a_limit_or_a_level(setting: str, value: Any) -> None:
    row = {"setting": setting, "value": value, "reason": "x"}
    with pytest.raises(Malformed, match=r"suggested\.0\.(setting|value) "):
        USAGE(dict(MEASURED, suggested=[row]))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("files_total_size_soft_limit", "2Gi"),
        ("file_count_soft_limit", "100K"),
        ("baseline_compression_level", 0),
        ("optimized_compression_level", 21),
    ],
)
def test_a_limit_or_a_level_is_taken(setting: str, value: Any) -> None:
    row = {"setting": setting, "value": value, "reason": "x"}
    assert USAGE(dict(MEASURED, suggested=[row]))["suggested"] == [row]


def test_only_the_limits_and_the_levels_are_suggested() -> None:
    assert list(SUGGESTIBLE) == [
        "baseline_compression_level",
        "optimized_compression_level",
        "file_count_soft_limit",
        "files_total_size_soft_limit",
    ]


NUMBER = "is not a whole number within 2^80"
BEYOND_AS_FLOAT = math.ldexp(1 + 2**-52, 80)


def all_of(wrong: str, *values: Any) -> list[tuple[Any, str]]:
    """Values that are wrong in the same way."""
    return [(value, wrong) for value in values]


@pytest.mark.parametrize(
    ("reader", "taken", "refused"),
    [
        (
            code,
            ["a", "limit-beyond-file-system", "x" * 100],
            all_of("is not a code", "", "x" * 101, "A", "a b", "a\n", "a_b", "<b>", "\u0661")
            + all_of("is not text", 5),
        ),
        (
            text,
            ["", "x" * 100_000],
            [("x" * 100_001, "has more than 100000 characters"), *all_of("is not text", 5, None, ["a"])],
        ),
        (flag, [True, False], all_of("is not true or false", 1, 0, None, "true")),
        (integer, [0, 2**80, -(2**80)], all_of(NUMBER, 2**80 + 1, -(2**80) - 1, True, 1.0, "1", None)),
        (
            real,
            [0, 0.5, -0.5, 2**80, 2.0**80, -(2.0**80)],
            all_of(NUMBER, 2**80 + 1, BEYOND_AS_FLOAT, -BEYOND_AS_FLOAT, math.nan, math.inf, -math.inf, False),
        ),
        (count, [0, 1, 2**80], [(-1, "is less than 0"), *all_of(NUMBER, 2**80 + 1, 0.0)]),
        (share, [0, 0.0, 0.1, 100], [*all_of("is less than 0", -1, -0.1), (math.inf, NUMBER)]),
        (one_of(["a", "c"]), ["a", "c"], all_of("is not one of a, c", "b", "", "ac", None, 5, ["a"])),
        (nullable(flag), [None, False, True], [(0, "is not true or false")]),
        (
            list_of(flag),
            [[], [True] * MOST_ITEMS],
            all_of("is not a list of at most 1000 entries", [True] * (MOST_ITEMS + 1), {}, "", None),
        ),
        (
            list_of(flag, 3),
            [[], [True] * 3],
            all_of("is not a list of at most 3 entries", [True] * 4),
        ),
        (
            dict_of(flag),
            [{}, dict.fromkeys(map(str, range(MOST_ITEMS)), True)],
            all_of(
                "is not a dictionary of at most 1000 entries",
                dict.fromkeys(map(str, range(MOST_ITEMS + 1)), True),
                [],
                None,
            ),
        ),
        (
            Record({"a": flag}, {"b": flag}),
            [{"a": True}, {"a": True, "b": False}],
            all_of("is not a dictionary", [], "a", None),
        ),
        (table, [{}, {"a": [1]}], all_of("is not a dictionary", [], "", None)),
    ],
    ids=[
        "code",
        "text",
        "flag",
        "integer",
        "real",
        "count",
        "share",
        "one_of",
        "nullable",
        "list_of",
        "list_of with its own limit",
        "dict_of",
        "Record",
        "table",
    ],
)
def test_each_kind_of_value_has_its_limits(
    reader: Callable[[Any], Any], taken: list[Any], refused: list[tuple[Any, str]]
) -> None:
    for value in taken:
        read = reader(value)
        assert read == value
        assert type(read) is type(value)
    for value, wrong in refused:
        with pytest.raises(Malformed, match="^malformed result: it %s$" % re.escape(wrong)):
            reader(value)


def test_a_part_of_a_list_or_a_dictionary_is_named() -> None:
    long = "n" * 101
    for reader, value, place in (
        (list_of(flag), [True, 5], "1"),
        (dict_of(flag), {"a": True, long: 5}, "n" * 100),
        (dict_of(list_of(flag)), {"a": [], "b\x1b": [True, False, None]}, "b\\x1b.2"),
        (Record({"a": flag}, {"b": dict_of(flag)}), {"a": True, "b": {"c": 5}}, "b.c"),
    ):
        with pytest.raises(Malformed, match="^malformed result: %s is not true or false$" % re.escape(place)):
            reader(value)


def test_a_record_has_only_its_own_keys_and_all_that_are_required() -> None:
    record = Record({"a": flag}, {"a": integer, "b": flag})
    assert record({"c": 1, "b": False, "a": True}) == {"a": True, "b": False}
    with pytest.raises(Malformed, match=r"^malformed result: a is missing$"):
        record({"b": True})
    assert Record({"a": flag})({"a": True, "b": 1}) == {"a": True}


def nested(levels: int, end: Any) -> Any:
    """A value in so many lists and dictionaries, in turns."""
    for level in range(levels):
        end = [end] if level % 2 else {"k": end}
    return end


def test_what_a_file_says_has_its_limits() -> None:
    for value in (
        *(None, True, False, 0, 2**80, -(2**80), 0.5, -1e300, "x" * 10_000, list(range(100))),
        *({str(number): number for number in range(100)}, {"k" * 10_000: 1}, nested(20, "end")),
    ):
        assert anything(value) == value
    assert anything(("a", 1)) == ["a", 1]
    assert anything("x" * 9_999 + "\x1b" + "y") == "x" * 9_999 + "\\x1b"
    assert anything(2**80 + 1) == anything(-(2**80) - 1) == "a number beyond 2^80"
    assert [anything(value) for value in (math.nan, math.inf, -math.inf)] == ["nan", "inf", "-inf"]
    assert anything(list(range(101))) == list(range(100))
    assert anything({number: number for number in range(101)}) == {str(number): number for number in range(100)}
    assert anything({"k" * 10_001: 1}) == {"k" * 10_000: 1}
    assert anything(nested(20, ["end"])) == nested(20, "...")
    assert anything({"k": nested(19, ["end"])}) == {"k": nested(19, "...")}
    with pytest.raises(Malformed, match=r"^malformed result: it is not JSON data$"):
        anything({"a": [b"x"]})


def test_an_effective_setting_is_a_text_for_a_path_and_a_number_for_all_others() -> None:
    numbers = {name: number for number, name in enumerate(LOOK["effective"]) if name != "directory"}
    assert len(numbers) == len(LOOK["effective"]) - 1
    for effective in ({**numbers, "directory": "/d"}, dict.fromkeys(LOOK["effective"])):
        assert LOOKED_AT(dict(LOOK, effective=effective))["effective"] == effective
    for name in LOOK["effective"]:
        with pytest.raises(Malformed, match=r"^malformed result: effective\.%s is not " % name):
            LOOKED_AT(dict(LOOK, effective={name: 5 if name == "directory" else "5"}))


def test_what_a_file_says_is_cut_and_no_fault_of_the_host() -> None:
    deep: Any = "end"
    for _level in range(40):
        deep = [deep]
    said = {
        "nan": math.nan,
        "infinity": -math.inf,
        "huge": 10**40,
        "long": "x" * 200_000,
        "k" * 200_000: 1,
        "list": list(range(2000)),
        "deep": deep,
    }
    taken = LOOKED_AT(dict(GOOD, settings=said))["settings"]
    assert (taken["nan"], taken["infinity"], taken["huge"]) == ("nan", "-inf", "a number beyond 2^80")
    assert (len(taken["long"]), len(taken["list"]), taken["k" * 10_000]) == (10_000, 100, 1)
    assert "..." in str(taken["deep"])
    assert json.loads(json.dumps(taken, allow_nan=False)) == taken


MOST_ACCEPTED = 2 * len(DIALECTS)  # each with both grammars of TOML


def test_nonsense_is_named_with_its_place() -> None:
    configs = {
        "list": dict(GOOD, accepted_by=5),
        "deep": dict(GOOD, problems=[dict(PROBLEM, line="3")]),
        "missing": {name: value for name, value in GOOD.items() if name != "safe"},
        "number": dict(GOOD, effective={"cleanup_interval": math.nan}),
        "none": None,
        "good": GOOD,
    }
    assert cache_report(configs, by_host=True) == [
        "5 of 6 hosts failed",
        "not looked at, 5 hosts:",
        "  list: malformed result: accepted_by is not a list of at most %d entries" % MOST_ACCEPTED,
        "  deep: malformed result: problems.0.line is not a whole number within 2^80",
        "  missing: malformed result: safe is missing",
        "  number: malformed result: effective.cleanup_interval is not a whole number within 2^80",
        "  none: malformed result: it is not a dictionary",
        "6 hosts: 1 good, 5 not looked at",
    ]
    hosts = cache_fleet(configs, {"good": dict(MEASURED, size=math.nan)}, "now")["hosts"]
    assert hosts[0]["message"] == "malformed result: accepted_by is not a list of at most %d entries" % MOST_ACCEPTED
    assert hosts[-1]["usage_message"] == "malformed result: size is not a whole number within 2^80"
    assert (hosts[-1]["usage"], hosts[-1]["notes"]) == (None, ["usage-unknown"])


@pytest.mark.parametrize("single", [dict(GOOD, effective=5), dict(APPLIED, directory=[]), dict(MEASURED, limits=None)])
def test_nonsense_of_a_single_host_is_one_line(single: dict[str, Any]) -> None:
    (line,) = cache_report(single)
    assert line.startswith("malformed result: ")


def filled(value: Any) -> Any:
    """JSON data in which every text is hostile, but those of which there are only some."""
    if isinstance(value, dict):
        known = {"severity", "accepted_by", "code"} | (
            {"setting", "value"} if set(value) == {"setting", "value", "reason"} else set()
        )
        return {key: part if key in known else filled(part) for key, part in value.items()}
    if isinstance(value, list):
        return [filled(part) for part in value]
    return HOSTILE if isinstance(value, str) else value


@pytest.mark.parametrize("base", [LOOK, MEASURED, APPLIED], ids=["look", "usage", "applied"])
def test_no_text_of_a_host_acts_on_a_terminal(base: dict[str, Any]) -> None:
    reader = next(reader for other, reader in BASES if other is base)
    answer = dict(filled(base), changed=True, msg=HOSTILE, diff=[{"before": HOSTILE, "before_header": HOSTILE}])
    passed = received(answer, reader)
    (diff,) = passed.pop("diff")
    for shown in (passed.pop("msg"), diff.pop("before")):
        assert shown.replace("\n", "").replace("\r", "").isprintable()
    assert is_plain(passed)
    assert is_plain(diff)
    # The filters do not rely on that.
    assert is_plain(cache_report(filled(base)))
    if base is LOOK:
        assert is_plain(cache_report({HOSTILE: filled(base), "b": {"unreachable": True, "msg": HOSTILE}}, by_host=True))
    data = cache_fleet(
        {HOSTILE: filled(LOOK), "b": {"failed": True, "msg": HOSTILE}}, {HOSTILE: filled(MEASURED)}, HOSTILE
    )
    assert is_plain(data)
    assert cache_page(data).replace("\n", "").isprintable()


def test_a_host_can_list_no_more_problems_than_a_check() -> None:
    for reader, base in ((LOOKED_AT, LOOK), (CHANGED, APPLIED)):
        assert len(reader(dict(base, problems=[PROBLEM] * MOST_PROBLEMS))["problems"]) == MOST_PROBLEMS
        with pytest.raises(Malformed, match="problems is not a list of at most 200 entries"):
            reader(dict(base, problems=[PROBLEM] * (MOST_PROBLEMS + 1)))


def test_each_key_of_a_result_is_in_its_schema() -> None:
    for module, reader in ((cache_config, CHANGED), (cache_config_info, LOOKED_AT), (cache_usage_info, USAGE)):
        names = set(documented(module)) - {"changed", "diff"}
        assert set(reader(one_each(documented(module)))) == names
    # What Ansible adds is not in our documentation.
    assert not set(FILE) & set(documented(cache_config_info))


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("x" * 1000, "x" * 1000),
        ("x" * 1001, "x" * 1000 + "..."),
        ("x " * 10**6, "x " * 500 + "..."),
        # Not more than 2,000 characters are looked at.
        (" " * 1500 + "x" * 1000, "x" * 500),
        ("no\n\t  right\x1b ", "no right\\x1b"),
        ("", ""),
    ],
    ids=["short", "long", "words", "blanks", "lines", "empty"],
)
def test_a_reason_is_one_line_and_not_too_long(message: str, said: str) -> None:
    assert reason({"msg": message}) == said
    assert reason({}) == ""


def test_a_schema_says_where() -> None:
    with pytest.raises(Malformed, match=r"^malformed result: compilers\.0\.size is missing$"):
        USAGE(dict(MEASURED, compilers=[{"name": "x", "entries": 1}]))
