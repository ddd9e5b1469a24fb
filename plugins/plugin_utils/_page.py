# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the report: one HTML file with its style, its script and the data of all hosts.

It is rendered here and not by the module C(template), because Ansible's templates do not escape by default, cannot encode
the raw bytes of a hash in base64 for the content security policy, and are too slow for 5,000 hosts.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from pathlib import Path
from typing import Any, Hashable, Mapping

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.words import format_value
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._fleet import HOST_NOTES, again
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._results import SEVERITIES

TEMPLATES = Path(__file__).resolve().parents[2] / "playbooks" / "templates"

LIST, SHARED = -1, -2  # the first items of packed values that are neither scalars nor dictionaries


def page(fleet: Mapping[str, Any]) -> str:
    """Return the HTML of the page for the data of a fleet, after validating its hosts again."""
    fleet = again(fleet)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    parts = {name: Markup((TEMPLATES / ("report." + name)).read_text("utf-8")) for name in ("css", "js")}
    return environment.get_template("report.html.j2").render(
        fleet=fleet,
        settings=[{"name": setting.name, "option": setting.option} for setting in SETTINGS.values()],
        texts=_texts(fleet),
        notes=HOST_NOTES,
        severities=SEVERITIES,
        packed=pack(fleet),
        hashes={name: _source(part) for name, part in parts.items()},
        **parts,
    )


def _source(part: str) -> str:
    """Return the source of a style or a script for a content security policy."""
    return "'sha256-%s'" % base64.b64encode(hashlib.sha256(part.encode("utf-8")).digest()).decode("ascii")


def _breakable(value: Any) -> Markup:
    """Return a text as HTML that breaks at slashes where it does not fit into a line."""
    return Markup("/<wbr>").join(str(value).split("/"))


def _texts(fleet: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return by setting each effective value of the fleet in the units that people write."""
    texts: dict[str, dict[str, str]] = {}
    for setting in SETTINGS.values():
        if setting.kind.name != "path":
            values = {host["effective"].get(setting.option) for host in fleet["hosts"]} - {None}
            texts[setting.option] = {str(value): format_value(setting.kind, value) for value in values}
    return texts


def pack(value: Any) -> dict[str, Any]:
    """Pack JSON data so that equal parts are stored once, as the hosts of a fleet are similar; report.js unpacks it.

    C(data) is the value. Scalars stay as they are. A dictionary becomes the index of its keys in C(shapes) and its values;
    a list becomes C(LIST) and its elements; a repeated value becomes C(SHARED) and its index in C(shared).
    """
    numbers: dict[Hashable, int] = {}
    times: Counter[int] = Counter()
    nodes: list[Any] = []  # parts come before the values that contain them
    shapes: dict[Hashable, int] = {}

    def number(value: Any) -> int:
        node = value
        if isinstance(value, dict):
            shape = shapes.setdefault(tuple(value), len(shapes))
            node = [shape, *map(number, value.values())]
        elif isinstance(value, list):
            node = [LIST, *map(number, value)]
        # An integer and a boolean can be equal in Python.
        key: Hashable = tuple(node) if isinstance(node, list) else (type(value).__name__, value)
        if key not in numbers:
            numbers[key] = len(nodes)
            nodes.append(node)
        times[numbers[key]] += 1
        return numbers[key]

    root = number(value)
    shared: list[Any] = []
    places: dict[int, int] = {}

    def written(index: int) -> Any:
        node = nodes[index]
        if index in places:
            return [SHARED, places[index]]
        return [node[0], *map(written, node[1:])] if isinstance(node, list) else node

    for index, node in enumerate(nodes):
        # A reference is about as long as a short text.
        if times[index] > 1 and isinstance(node, (list, str)) and len(node) > (1 if isinstance(node, list) else 8):
            shared.append(written(index))
            places[index] = len(places)
    return {"shapes": [list(shape) for shape in shapes], "shared": shared, "data": written(root)}  # type: ignore[call-overload]
