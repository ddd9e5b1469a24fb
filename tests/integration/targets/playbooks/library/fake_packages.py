# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A package manager that installs into the virtual environment it runs in."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule(
        argument_spec={"name": {"type": "list", "elements": "str"}, "state": {"type": "str"}},
        supports_check_mode=True,
    )
    path = Path(sysconfig.get_path("purelib"), "packages.pth")
    installed = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = sorted(module.params["name"])
    new = ["%s/packages/%s" % (sys.prefix, name) for name in names]
    changed = not set(new).issubset(installed)
    if changed and not module.check_mode:
        path.write_text("\n".join(sorted({*installed, *new})) + "\n", encoding="utf-8")
    what = "Would install" if module.check_mode else "Installed"
    module.exit_json(changed=changed, msg="%s %s" % (what, ", ".join(names)))


if __name__ == "__main__":
    main()
