# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the default paths of the engine's config and cache.

platformdirs knows the layout of each system. The engine's library (Rust's
C(directories-next)) treats some environments differently, so platformdirs
gets an environment that leads both to the same result.
"""

from __future__ import annotations

import os
import sys
from typing import Callable, NamedTuple

_XDG = ("XDG_CONFIG_HOME", "XDG_CACHE_HOME")


class DefaultPaths(NamedTuple):
    """The engine's config file and cache directory of a user; relative if C(HOME) is."""

    config: str
    directory: str


def default_paths(
    platform: str = sys.platform, find: Callable[[str], DefaultPaths] | None = None
) -> DefaultPaths | None:
    """Return the default paths of the current user, or None without a home directory.

    C(find) returns them for an environment; without it, platformdirs does. Raises ImportError without platformdirs.
    """
    environ = os.environ
    home = environ.get("HOME") or _passwd_home()
    if not home:
        return None
    saved = {name: environ.get(name) for name in ("HOME",) + _XDG}
    try:
        # The engine uses a relative home unchanged, and platformdirs replaces it.
        environ["HOME"] = home if home.startswith("/") else "/" + home
        for name in _XDG:
            if platform == "darwin" or not (environ.get(name) or "").startswith("/"):
                environ.pop(name, None)
        paths = (find or _platformdirs)(platform)
        return DefaultPaths(
            *(
                path if home.startswith("/") or name in environ else path[1:]
                for path, name in zip((paths.config + "/config.toml", paths.directory), _XDG)
            )
        )
    finally:
        for name, value in saved.items():
            if value is None:
                environ.pop(name, None)
            else:
                environ[name] = value


def _passwd_home() -> str | None:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir or None
    except KeyError:
        return None


def _platformdirs(platform: str) -> DefaultPaths:
    if platform == "darwin":
        from platformdirs.macos import MacOS

        mac = MacOS("BytecodeAlliance.wasmtime", appauthor=False)
        return DefaultPaths(mac.user_config_dir, mac.user_cache_dir)
    from platformdirs.unix import Unix

    unix = Unix("wasmtime", appauthor=False)
    return DefaultPaths(unix.user_config_dir, unix.user_cache_dir)


def usual_paths(_platform: str) -> DefaultPaths:
    """Return the same on Linux without platformdirs, for check mode if it is not installed yet."""
    home = os.environ["HOME"]
    config, cache = (os.environ.get(name) or home + usual for name, usual in zip(_XDG, ("/.config", "/.cache")))
    return DefaultPaths(config.rstrip("/") + "/wasmtime", cache.rstrip("/") + "/wasmtime")
