# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace get-pip, which ansible-test runs, by the pip that Python includes."""

from __future__ import annotations

import ensurepip
import glob
import os
import sys
import sysconfig

places = [
    os.path.join(os.path.dirname(ensurepip.__file__), "_bundled"),  # noqa: PTH118, PTH120 # as short as it gets
    sysconfig.get_config_var("WHEEL_PKG_DIR") or "/usr/share/python-wheels",
]
sys.path.insert(0, next(wheel for place in places for wheel in glob.glob(place + "/pip-*.whl")))  # noqa: PTH207
options = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]

from pip._internal.cli.main import main  # noqa: E402 # only now it can be found

sys.exit(main(["install", "--upgrade", "--force-reinstall", *options]))
