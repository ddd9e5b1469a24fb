# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A world of its own for a test of a module, and the modules run in it as Ansible runs them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import tempfile

import pytest
from ansible.module_utils.common import warnings
from ansible.module_utils.testing import patch_module_args

from ansible_collections.wasmops.wasmtime.plugins.modules import (
    cache_config,
    cache_config_info,
    cache_prune,
    cache_usage_info,
    engine_info,
)
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._results import (
    CHANGED,
    FOUND,
    LOOKED_AT,
    PRUNED,
    USAGE,
    received,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    snapshot,
    without_root,
)

SCHEMAS = {
    cache_config: CHANGED,
    cache_config_info: LOOKED_AT,
    cache_usage_info: USAGE,
    cache_prune: PRUNED,
    engine_info: FOUND,
}
# What AnsibleModule adds on its own, and what names a new file by the time.
NOT_COMPARED = {"invocation", "backup_file", "uid", "gid", "owner", "group", "mode", "state", "size", "secontext"}

# A value for each setting that every version knows.
EVERYTHING = {
    "worker_event_queue_size": "32",
    "baseline_compression_level": 1,
    "optimized_compression_level": 19,
    "optimized_compression_usage_counter_threshold": "1K",
    "cleanup_interval": "2h",
    "optimizing_compression_task_timeout": "45m",
    "allowed_clock_drift_for_files_from_future": "2d",
    "file_count_soft_limit": 100000,
    "files_total_size_soft_limit": "2Gi",
    "file_count_limit_percent_if_deleting": 80,
    "files_total_size_limit_percent_if_deleting": "90%",
}

# A config whose form is to stay.
MESSY = (
    "\ufeff# kept\r\n"
    "[cache]   # kept too\r\n"
    "\tcleanup-interval='60m' # an hour\r\n"
    "\r\n"
    '# cleanup-interval = "9h"\r\n'
    '"file-count-soft-limit" =  "5"'
)


class World:
    """A tree with a config and a cache directory, and nothing of the machine's own around them."""

    def __init__(self, root):
        self.root = root
        self.tree = root / "tree"
        self.config = self.tree / "etc" / "config.toml"
        self.cache = self.tree / "cache"
        self.home = root / "home"
        self.bin = root / "bin"
        self.config.parent.mkdir(parents=True)
        for path in (self.home, self.bin):
            path.mkdir()

    def write(self, text, mode=0o644):
        """Put a config there; text or bytes."""
        self.config.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        self.config.chmod(mode)

    def program(self, name, data):
        """Put a program on PATH; return its path."""
        (self.bin / name).write_bytes(data)
        (self.bin / name).chmod(0o755)
        return str(self.bin / name)

    def snapshot(self):
        """Everything in the tree and the home."""
        return dict(snapshot(self.tree), **snapshot(self.home))

    def run(self, check=False, **options):
        """Run cache_config for the config and the cache of this world."""
        options.setdefault("path", str(self.config))
        if options.get("state") != "absent":
            options.setdefault("directory", str(self.cache))
        return self.execute(cache_config, check, {k: v for k, v in options.items() if v is not ...})

    def info(self, check=False, **options):
        """Run cache_config_info."""
        return self.execute(cache_config_info, check, options)

    @staticmethod
    def execute(module, check, options, diff=True):
        """Run a module and return its result; what it raises is raised."""
        warnings._global_warnings.clear()
        umask = os.umask(0o022)
        os.umask(umask)
        output = io.StringIO()
        # Other tests of the same process may have made it a controller, which shows warnings itself, and refuses text
        # that is no UTF-8.
        internal = sys.modules.get("ansible.module_utils._internal")
        profiles = sys.modules.get("ansible.module_utils._internal._json._profiles")
        with tempfile.TemporaryDirectory() as temporary:
            os.chmod(temporary, 0o777)  # noqa: PTH101
            arguments = dict(
                {"_ansible_no_log": True, **options},
                _ansible_check_mode=check,
                _ansible_diff=diff,
                _ansible_tmpdir=temporary,
            )
            try:
                with pytest.MonkeyPatch.context() as patch, patch_module_args(arguments):
                    if internal is not None:
                        patch.setattr(internal, "is_controller", False)
                        patch.setattr(internal, "import_controller_module", lambda _name: None)
                    if hasattr(profiles, "_string_encoding_check_enabled"):
                        # It remembers what it was first.
                        patch.setattr(profiles, "_string_encoding_check_enabled", lambda: False)
                    with contextlib.redirect_stdout(output), pytest.raises(SystemExit):
                        module.main()
            finally:
                os.umask(umask)
        result = json.loads(output.getvalue())
        assert "Traceback" not in output.getvalue()
        # The controller takes it as it is: all of it is in the schema, and printable.
        # Older releases of Ansible add what the task said as it was said, which only the controller makes printable.
        shown = {name: value for name, value in result.items() if name != "invocation"}
        taken = received(shown, SCHEMAS[module])
        assert taken == shown, {
            name: (value, taken.get(name)) for name, value in shown.items() if taken.get(name) != value
        }
        # No text lacks its values.
        said = [
            taken.get("msg", ""),
            *warnings_of(taken),
            *(problem["message"] for problem in taken.get("problems", [])),
        ]
        assert not re.search("%[ds]", " ".join(said)), said
        return result

    def both(self, **options):
        """Check, run, check and run again: the dry run tells the truth, and the second run does nothing."""
        before = self.snapshot()
        dry = self.run(check=True, **options)
        assert self.snapshot() == before
        real = self.run(**options)
        told, done = comparable(dry), comparable(real)
        # pytest explains assertions only in files with tests.
        names = sorted({*told, *done})
        assert told == done, [
            (name, told.get(name), done.get(name)) for name in names if told.get(name) != done.get(name)
        ]
        after = self.snapshot()
        if not real.get("changed"):
            assert after == before
        if not real.get("failed"):
            assert bool(real["diff"]) is real["changed"]
            for check in (True, False):
                again = self.run(check=check, **options)
                assert again["changed"] is False
                assert again["diff"] == []
                assert self.snapshot() == after
        return real

    def refused(self, **options):
        """The message of a run that fails, dry or real, and has changed nothing."""
        real = self.both(**options)
        assert real["failed"] is True
        assert real.get("changed", False) is False
        return real["msg"]


def execute_without_root(module, **options):
    """Run a module as a user who is not root; root becomes one."""
    check = options.pop("check", False)
    # What is imported late may be out of that user's reach: a dry run has it imported before.
    World.execute(module, True, options)
    with without_root():
        return World.execute(module, check, options)


def run_without_root(there, **options):
    """Run the module in a directory that belongs to whom root becomes."""
    options = dict({"path": str(there / "config.toml"), "directory": str(there / "cache")}, **options)
    return execute_without_root(cache_config, **options)


def absent(world, **options):
    """Remove, in the four ways."""
    return world.both(state="absent", **options)


def warnings_of(result):
    """The texts of Ansible's warnings, as newer and older versions return them."""
    return [text if isinstance(text, str) else text["event"]["msg"] for text in result.get("warnings", [])]


def comparable(result):
    """The result without what a dry run cannot know."""
    return {key: value for key, value in result.items() if key not in NOT_COMPARED}
