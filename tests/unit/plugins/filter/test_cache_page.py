# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the report as text; tests/report looks at it in a browser."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wasmops.wasmtime.plugins.filter.cache_fleet import cache_fleet
from ansible_collections.wasmops.wasmtime.plugins.filter.cache_page import FilterModule, cache_page
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._page import LIST, SHARED, pack

from .test_cache_fleet import GOOD, PROBLEM, SILENT, USAGE


def unpack(packed):
    """What report.js does."""
    shared: list[Any] = []

    def whole(value):
        if not isinstance(value, list):
            return value
        kind, *rest = value
        if kind == SHARED:
            return shared[rest[0]]
        if kind == LIST:
            return [whole(part) for part in rest]
        return dict(zip(packed["shapes"][kind], map(whole, rest)))

    for value in packed["shared"]:
        shared.append(whole(value))  # noqa: PERF401 # later ones are made of earlier ones
    return whole(packed["data"])


class Elements(HTMLParser):
    """The names of all elements but places to break lines; none may have an attribute that loads or runs something."""

    def __init__(self, page):
        super().__init__()
        self.names = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag != "wbr":
            self.names.append(tag)
        assert not [name for name, _value in attrs if name in ("src", "style") or name.startswith("on")]


def data_of(page):
    """The data in a page."""
    (text,) = re.findall('<script type="application/json" id="data">(.*)</script>', page)
    return json.loads(text)


FLEET = cache_fleet(
    {"one": GOOD, "two": dict(GOOD, problems=[PROBLEM]), "lost": SILENT}, {"one": USAGE, "two": USAGE}, "now"
)


def test_a_page_holds_all_the_data():
    assert unpack(data_of(cache_page(FLEET))["fleet"]) == FLEET


def test_settings_are_there_in_the_units_of_people():
    texts = data_of(cache_page(FLEET))["texts"]
    assert texts.pop("cleanup_interval") == {"3600": "1h"}
    assert texts.pop("file_count_soft_limit") == {"65536": "65536"}
    assert "directory" not in texts
    assert texts
    assert not any(texts.values())
    hosts = {
        str(size): dict(GOOD, effective={"files_total_size_soft_limit": size})
        for size in (2**30, None, 1000, 2**30 + 1)
    }
    assert data_of(cache_page(cache_fleet(hosts, {}, "now")))["texts"]["files_total_size_soft_limit"] == {
        "1000": "1K", "1073741824": "1Gi", "1073741825": "1073741825",
    }  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False).map(abs) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(JSON)
def test_packed_data_unpacks_to_itself(value):
    packed = json.loads(json.dumps(pack([value, {"again": value}, value])))
    # As text, which tells 1 from true and from 1.0.
    assert json.dumps(unpack(packed)) == json.dumps([value, {"again": value}, value])


@pytest.mark.parametrize(
    ("value", "shapes", "shared", "data"),
    [
        ([True, 1, 1.0, None, "x"], [], [], [-1, True, 1, 1.0, None, "x"]),
        # What is shorter than a reference is repeated, numbers of any length as well.
        (["a" * 7] * 2, [], [], [-1, "a" * 7, "a" * 7]),
        (["a" * 8] * 2, [], [], [-1, "a" * 8, "a" * 8]),
        ([[]] * 2, [], [], [-1, [-1], [-1]]),
        ([{}] * 2, [[]], [], [-1, [0], [0]]),
        ([10**20] * 2, [], [], [-1, 10**20, 10**20]),
        (["a" * 9] * 2, [], ["a" * 9], [-1, [-2, 0], [-2, 0]]),
        ([[1]] * 2, [], [[-1, 1]], [-1, [-2, 0], [-2, 0]]),
        ([{"a": 1}] * 2, [["a"]], [[0, 1]], [-1, [-2, 0], [-2, 0]]),
        # What is there once is written at its place, with its parts that are not.
        (["a" * 9, [1], {"a": [1]}], [["a"]], [[-1, 1]], [-1, "a" * 9, [-2, 0], [0, [-2, 0]]]),
        ([[[1], 2], [[1], 2], [1]], [], [[-1, 1], [-1, [-2, 0], 2]], [-1, [-2, 1], [-2, 1], [-2, 0]]),
        ([[1], [True], [1.0]], [], [], [-1, [-1, 1], [-1, True], [-1, 1.0]]),
        ({"b": {"a": 1}, "c": {"d": 2, "e": 3}}, [["b", "c"], ["a"], ["d", "e"]], [], [0, [1, 1], [2, 2, 3]]),
    ],
    ids=str,
)
def test_packed_data_is_in_the_form_that_the_script_reads(value, shapes, shared, data):
    assert json.dumps(pack(value)) == json.dumps({"shapes": shapes, "shared": shared, "data": data})
    assert "const LIST = %d, SHARED = %d;" % (LIST, SHARED) in cache_page(FLEET)


def test_the_page_has_no_blanks_in_place_of_its_template_s_own_lines():
    page = cache_page(FLEET)
    assert (
        '<ul class="tiles">\n    <li><button type="button" class="tile" data-filter="verdict" data-value="good"' in page
    )


def test_hosts_that_are_alike_take_little_room():
    configs = {"host-%04d" % number: GOOD for number in range(1000)}
    page = cache_page(cache_fleet(configs, dict.fromkeys(configs, USAGE), "now"))
    assert page.count("/var/cache/wasmtime") < 5
    assert len(page) < 200 * 1000


@pytest.mark.parametrize(
    "hostile", ["</script><script>alert(1)</script>", "<!--<script>", "<img src=x onerror=alert(1)>", "'\"&"]
)
def test_markup_of_hosts_becomes_no_element(hostile):
    bad = dict(PROBLEM, message=hostile, remedy=hostile)
    config = dict(GOOD, path=hostile, problems=[bad], effective={"directory": hostile})
    page = cache_page(
        cache_fleet({hostile: config, "two": config, "lost" + hostile: dict(SILENT, msg=hostile)}, {}, hostile)
    )
    other = dict(config, problems=[PROBLEM], effective={"directory": "a"})
    tame = cache_page(cache_fleet({"a": other, "b": other, "c": SILENT}, {}, "a"))
    assert Elements(page).names == Elements(tame).names
    assert Elements(page).names.count("script") == 2
    (name, _two, lost) = unpack(data_of(page)["fleet"])["hosts"]
    assert (name["name"], lost["message"]) == (hostile, hostile)


def test_what_is_no_character_leaves_a_page_that_can_be_written():
    page = cache_page(cache_fleet({"\udc80": dict(GOOD, problems=[dict(PROBLEM, message="\udcff")])}, {}, "now"))
    assert "\\udcff" in page
    page.encode("utf-8")


@pytest.mark.parametrize(
    "other",
    [None, [], "text", {}, {"format": 2}, {"format": 1}, {"format": 0, "hosts": []}, {"format": 2, "hosts": []}],
)
def test_what_is_no_fleet_is_refused(other):
    with pytest.raises(AnsibleFilterError, match="takes what cache_fleet returned"):
        cache_page(other)


def test_ansible_finds_the_filter():
    assert FilterModule().filters() == {"cache_page": cache_page}
