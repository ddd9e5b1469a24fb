# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings for all unit tests, with ansible-test and with plain pytest alike."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, configuration, settings

# Failing examples are kept with the other test results, never in the source tree.
configuration.set_hypothesis_home_dir(Path(__file__).parents[2] / "output" / "hypothesis")

# The same examples on every machine, and no time limits: machines differ, results must not.
# ansible-test's collection loader makes first calls slow, and its fixtures are per function.
settings.register_profile(
    "reproducible",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
# For a longer hunt by hand: HYPOTHESIS_PROFILE=hunt makes new examples, and more of them.
settings.register_profile(
    "hunt",
    settings.get_profile("reproducible"),
    derandomize=False,
    max_examples=5000,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "reproducible"))
