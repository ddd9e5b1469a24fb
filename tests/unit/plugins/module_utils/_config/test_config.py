# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a config that was read has, beside its problems."""

from __future__ import annotations

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.config import Config, no_config
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.problems import Problem
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import DIALECTS
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils._config.test_check import (
    OLD,
    C,
    F,
    cache,
    codes,
    read,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.documents import HOST


def test_a_config_that_disables_its_cache_has_only_the_problems_for_which_it_is_refused():
    lines = ("worker-event-queue-size = '1'", "allowed = 1")
    on, off = (read(cache("enabled = %s" % enabled, *lines), OLD) for enabled in ("true", "false"))
    assert (on.off, off.off) == (False, True)
    assert codes(on) == ["unknown-key", "small-queue"]
    assert codes(off) == ["unknown-key"]
    assert on.effective == off.effective
    for config in (read(cache("enabled = false", *lines), dialects) for dialects in (C, F, DIALECTS)):
        assert not config.off
        assert "small-queue" in codes(config)
    assert not read(cache("enabled = 0"), OLD).off
    assert not read(cache(), OLD).off
    # Without a table nothing is disabled.
    assert not read("", OLD).off
    assert not no_config(OLD, HOST).off


@pytest.mark.parametrize(("off", "left"), [(False, ["error", "danger", "warning"]), (True, ["error"])])
def test_problems_of_a_cache_in_use_are_none_of_one_that_is_disabled(off, left):
    config = Config("", False)
    config.off = off
    problems = [Problem("x", severity, "wrong", "correct it") for severity in ("error", "danger", "warning")]
    assert [problem.severity for problem in config.relevant(problems)] == left


def test_only_an_error_makes_a_config_invalid():
    config = Config("", False)
    assert config.valid
    config.problems = [Problem("x", severity, "wrong", "correct it") for severity in ("danger", "warning")]
    assert config.valid
    config.problems.append(Problem("x", "error", "wrong", "correct it"))
    assert not config.valid


@pytest.mark.parametrize(
    ("data", "text", "bom"),
    [
        ("[cache]\n", "[cache]\n", False),
        ("\ufeff[cache]\n", "[cache]\n", True),
        ("\ufeff\ufeff[cache]\n", "\ufeff[cache]\n", True),
        ("", "", False),
        (b"[cache]\n# \xff", "", False),
        ("#" * (2**16 + 1), "", False),
    ],
    ids=lambda part: ascii(part)[:20],
)
def test_the_text_is_what_follows_the_byte_order_mark(data, text, bom):
    config = read(data)
    assert (config.text, config.bom) == (text, bom)


@pytest.mark.parametrize(
    ("text", "table", "names_directory", "settings"),
    [
        ("", None, False, {}),
        ("cache = 1", None, False, {}),
        ("[cache", None, False, {}),
        ("[cache]", {}, False, {}),
        (cache("directory = 1", "foo = 2"), {"directory": 1, "foo": 2}, True, {"directory": 1}),
        (cache("cleanup-interval = '1h'"), {"cleanup-interval": "1h"}, False, {"cleanup-interval": "1h"}),
    ],
)
def test_the_table_is_as_it_is_written(text, table, names_directory, settings):
    config = read(text)
    assert (config.table, config.names_directory, config.settings) == (table, names_directory, settings)
