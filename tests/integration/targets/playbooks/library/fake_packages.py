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
    names = ", ".join(sorted(module.params["name"]))
    changed = not path.exists()
    if changed and not module.check_mode:
        path.write_text("%s/packages\n" % sys.prefix, encoding="utf-8")
    module.exit_json(changed=changed, msg="%s %s" % ("Would install" if module.check_mode else "Installed", names))


if __name__ == "__main__":
    main()
