# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for a package manager: notes what it is to install."""

from __future__ import annotations

import os
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule(argument_spec={"name": {"type": "list", "elements": "str"}, "state": {"type": "str"}})
    # The host's own folder is above its interpreter's home.
    Path(os.environ["HOME"]).with_name("installed").write_text(
        " ".join(sorted(module.params["name"])), encoding="utf-8"
    )
    module.exit_json(changed=True)


if __name__ == "__main__":
    main()
