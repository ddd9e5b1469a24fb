# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate files from the tables of settings and problems, and from the modules' documentation (`make generate`).

Settings: the documentation fragment, the samples of effective settings, the table in README.md, a JSON Schema of the config
for each range of Wasmtime versions. Problems: the table in docs/problems.md, DANGERS and WARNINGS, the choices of
ignore_dangers. Documentation: the role's specification of arguments, its tasks' arguments and the names of its variables.

Usage: generate.py FOLDER (the root of the collection).
"""

from __future__ import annotations

import copy
import json
import re
import sys
import textwrap
from pathlib import Path
from typing import Any, Callable, ClassVar, Iterable

import yaml

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import DANGER, ERROR, PATH_MAX, WARNING
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.problems import FROM_SOURCE, TABLE, ProblemCode
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import (
    LEVEL_MAX,
    LEVEL_MIN,
    PERCENT_MAX,
    SETTINGS,
    Kind,
    Setting,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.values import WHITE_SPACE
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import (
    CURRENT,
    DIALECTS,
    MAJOR_MAX,
    Dialect,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.words import format_value, versions_of

ROOT = Path(__file__).resolve().parents[1]
ROLE = "roles/wasmtime_cache"
PREFIX = "wasmtime_cache_"
SCHEMAS = "docs/schemas"
# The address for editors: "main" is the newest release or later, and schemas only become more permissive.
SCHEMAS_ADDRESS = "https://raw.githubusercontent.com/wasmops/wasmtime/main/" + SCHEMAS
# JSON has no comments, so the licence is in a separate file.
LICENCE = (ROOT / "tests" / "engine" / "data" / "cases.jsonl.license").read_text(encoding="utf-8")
FRAGMENT = "plugins/doc_fragments/_settings.py"
NAMES = "plugins/plugin_utils/_variables.py"
DEFAULT_DIRECTORY = "~/.cache/wasmtime"
SAMPLES = {
    "plugins/modules/cache_config.py": {"cleanup_interval": 86400, "files_total_size_soft_limit": 2147483648},
    "plugins/modules/cache_config_info.py": {},
}
# The role's entry points: the module, its options without a variable, and the prefix of its own variables.
ENTRY_POINTS = {
    "main": ("cache_config", {"create"}, ""),
    "check": ("cache_config_info", {"content"}, ""),
    "usage": ("cache_usage_info", {"directory"}, "usage_"),
    "prune": ("cache_prune", {"directory"}, "prune_"),
}
# The variable of this option has the name of the entry point.
SUBJECT = "remove"
# The entry points whose tasks name the options of the module; for the others, its action plugin reads the variables.
WITH_ARGUMENTS = ("check", "usage", "prune")
SHARED = ("path", "wasmtime_version")
CHECK = "plugins/module_utils/_config/check.py"
CACHE_CONFIG = "plugins/modules/cache_config.py"
PROBLEMS = "docs/problems.md"
SEVERITIES = (ERROR, DANGER, WARNING)
# Ansible's own options, which no module of this collection documents: their texts in the role are kept.
OWN = [PREFIX + name for name in ("owner", "group", "mode", "unsafe_writes")]


class Dumper(yaml.SafeDumper):  # type: ignore[misc] # yaml has no annotations
    """Writes YAML in the style of this collection: indented lists, and an anchor for an option that is repeated."""

    names: ClassVar[dict[str, str]] = {}
    """The names of options by the first paragraph of their descriptions."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)

    def generate_anchor(self, node: Any) -> str:
        text = next(value.value[0].value for key, value in node.value if key.value == "description")
        return self.names[text]

    def ignore_aliases(self, data: Any) -> bool:
        return not isinstance(data, dict)


def default_of(setting: Setting) -> str:
    """Return the default of a setting in its usual spelling."""
    return DEFAULT_DIRECTORY if setting.default is None else format_value(setting.kind, setting.default)


def rule_of(setting: Setting) -> str:
    """Return the format of an option's value, as a sentence; empty where the setting's own text says it."""
    rule = setting.kind.rule
    if setting.kind.name == "path":
        return ""
    if setting.kind.name == "level":  # for an option, quotes are no matter
        rule = "from V(%d) to V(%d)" % (LEVEL_MIN, LEVEL_MAX)
    elif setting.kind.name == "percent":  # the option takes a number for it as well
        rule = rule.replace(" followed", ", alone or followed")
    return " %s." % ", ".join(filter(None, (rule[0].upper() + rule[1:], setting.bound)))


def description_of(setting: Setting) -> list[str]:
    """Return the paragraphs on a setting's option."""
    first, *rest = setting.about.split("\n")
    letter = "C" if setting.kind.name == "path" else "V"
    known = []
    if setting.since or setting.until is not None:
        known.append("Only Wasmtime %s knows it." % versions_of(setting))
    where = " on Linux" if setting.default is None else ""
    default = "Wasmtime's default: %s(%s)%s." % (letter, default_of(setting), where)
    return [first + rule_of(setting), *rest, *known, default]


def type_of(setting: Setting) -> str:
    """Return the type of a setting's option."""
    return {"path": "path", "level": "int"}.get(setting.kind.name, "raw")


def fragment() -> str:
    """Return the options for the settings, for DOCUMENTATION."""
    lines = ["options:"]
    for setting in SETTINGS.values():
        lines += ["  %s:" % setting.option, "    description:"]
        for text in description_of(setting):
            item = '"%s"' % text if ": " in text else text
            lines += textwrap.wrap(
                item, 108, initial_indent="      - ", subsequent_indent="        ", break_long_words=False
            )
        lines.append("    type: %s" % type_of(setting))
    return "\n".join(lines) + "\n"


def sample(values: dict[str, Any]) -> str:
    """Return the effective settings, for RETURN."""
    lines = []
    for setting in SETTINGS.values():
        default = "/home/ci/.cache/wasmtime" if setting.default is None else setting.default
        lines.append("    %s: %s\n" % (setting.option, values.get(setting.option, default)))
    return "".join(lines)


def table() -> str:
    """Return the rows for README.md."""
    rows, seen = [], set()
    for setting in SETTINGS.values():
        kind = setting.kind
        text = "absolute path" if kind.name == "path" else kind.name
        if kind.name not in seen:
            if kind.name == "level":
                text = "level: %d to %d" % (LEVEL_MIN, LEVEL_MAX)
            elif kind.name == "percent":
                text = "percent: 0 to 100"
            elif kind.units:
                units = [unit for unit in sorted(kind.units, key=lambda unit: kind.units[unit]) if unit]
                base = " of %s" % kind.base_unit if kind.name == "size" else ""
                text = "%s: whole number%s%s %s" % (
                    kind.name,
                    base,
                    ", or with" if "" in kind.units else " with",
                    " ".join(units),
                )
        seen.add(kind.name)
        text = ", ".join(filter(None, (text, setting.bound)))
        rows.append("| `%s` | `%s` | %s |\n" % (setting.option, default_of(setting), text))
    return "".join(rows)


def row(entry: ProblemCode) -> str:
    """Return a line of the table of problems."""
    engine = entry.engine + (" (read from the source)" if entry.source == FROM_SOURCE else "")
    return "| `%s` | %s | %s | %s |\n" % (entry.code, entry.severity, engine, entry.helps)


def problems() -> str:
    """Return the table for docs/problems.md, the worst first."""
    return "".join(map(row, sorted(TABLE, key=lambda entry: (SEVERITIES.index(entry.severity), entry.code))))


def codes(severity: str, line: str) -> str:
    """Return a line for each code of a severity."""
    return "".join(line % code for code in sorted(entry.code for entry in TABLE if entry.severity == severity))


def replaced(text: str, pattern: str, new: str) -> str:
    """Return the text with the second group of its only match replaced."""
    result, number = re.subn(pattern, lambda match: match[1] + new + match[3], text, flags=re.DOTALL | re.MULTILINE)
    if number != 1:
        raise ValueError("%d places match %s" % (number, pattern))
    return result


def options_of(source: str, new_fragment: str) -> dict[str, Any]:
    """Return the documented options of a module, those of its fragments included."""
    documentation = yaml.safe_load(source.split('DOCUMENTATION = r"""')[1].split('"""', maxsplit=1)[0])
    fragments = (ROOT / FRAGMENT).read_text(encoding="utf-8")
    common, programs = (
        fragments.split(' %s = r"""' % name)[1].split('"""')[0] for name in ("DOCUMENTATION", "PROGRAMS")
    )
    options: dict[str, Any] = dict(documentation.get("options", {}))
    for name in documentation["extends_documentation_fragment"]:
        if name == "wasmops.wasmtime._settings":
            options.update(yaml.safe_load(common)["options"])
        elif name == "wasmops.wasmtime._settings.programs":
            options.update(yaml.safe_load(programs)["options"])
        elif name == "wasmops.wasmtime._settings.settings":
            options.update(yaml.safe_load(new_fragment)["options"])
    return options


def variable(entry_point: str, option: str) -> str:
    """Return the name of the role's variable for an option."""
    if option == SUBJECT:
        return PREFIX + entry_point
    own = ENTRY_POINTS[entry_point][2]
    return PREFIX + ("" if option in SHARED else own) + option


def as_variable(entry_point: str, option: dict[str, Any]) -> dict[str, Any]:
    """Return the specification of a variable, from the documentation of its option."""
    described = copy.deepcopy(option)
    texts = described["description"]
    texts = [texts] if isinstance(texts, str) else texts
    # The documentation of return values is that of the module.
    module = "RV(wasmops.wasmtime.%s#module:" % ENTRY_POINTS[entry_point][0]
    described["description"] = [
        re.sub(r"\b([OR])\((\w+)", lambda found: "%s(%s" % (found[1], variable(entry_point, found[2])), text).replace(
            "RV(", module
        )
        for text in texts
    ]
    # Variables have no aliases.
    described.pop("aliases", None)
    return described


def specification(text: str, new_fragment: str, source_of: Callable[[str], str]) -> str:
    """Return meta/argument_specs.yml with the variables for the modules' options; keep the texts that modules lack."""
    head = text[: text.index("argument_specs:")]
    spec = yaml.safe_load(text)
    defaults = yaml.safe_load((ROOT / ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
    shared: dict[str, dict[str, Any]] = {}
    for entry_point, (module, left_out, _own) in ENTRY_POINTS.items():
        options = options_of(source_of("plugins/modules/%s.py" % module), new_fragment)
        known = {variable(entry_point, name) for name in options}
        there = spec["argument_specs"][entry_point]["options"]
        settings = {setting.option for setting in SETTINGS.values()}
        # Removes settings that are no longer in the table.
        own = {name: option for name, option in there.items() if name in OWN and name not in known}
        names = sorted(options, key=lambda name: (name not in SHARED, name not in settings))
        variables = {}
        for name in names:
            if name not in left_out:
                described = as_variable(entry_point, options[name])
                if variable(entry_point, name) not in defaults:
                    described.pop("default", None)  # the module's own default applies
                Dumper.names[described["description"][0]] = name
                variables[variable(entry_point, name)] = shared.setdefault(repr((name, described)), described)
        spec["argument_specs"][entry_point]["options"] = {**variables, **own}
    dumped: str = yaml.dump(spec, Dumper=Dumper, sort_keys=False, width=120, allow_unicode=True)
    return head + dumped


def arguments(spec: dict[str, Any], entry_point: str, indent: str, options: dict[str, Any]) -> str:
    """Return the arguments of the role's task, whose module has these options."""
    lines = []
    names = {variable(entry_point, option): option for option in options}
    for name, option in spec["argument_specs"][entry_point]["options"].items():
        argument = names.get(name, name[len(PREFIX) :])
        value = name if "default" in option else name + " | default(omit)"
        lines.append('%s%s: "{{ %s }}"\n' % (indent, argument, value))
    return "".join(lines)


def schema_name(dialect: Dialect) -> str:
    """Return the file name of a dialect's schema, which a new dialect does not change."""
    return "wasmtime-cache-%s.json" % ("from-%d" % dialect.first if dialect.first else "up-to-%d" % dialect.last)


def _versions(dialect: Dialect) -> str:
    if dialect.last == MAJOR_MAX:
        return "%d and later" % dialect.first
    if dialect.first == dialect.last:
        return "%d" % dialect.first
    return "%d to %d" % (dialect.first, dialect.last) if dialect.first else "up to %d" % dialect.last


def _character_class(characters: str) -> str:
    """Return a regular expression for any number of these, by code point: engines differ in the meaning of \\s."""
    ranges: list[list[int]] = []
    for point in sorted(map(ord, characters)):
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "[%s]*" % "".join("-".join("\\u%04x" % point for point in dict.fromkeys(ends)) for ends in ranges)


def _pattern(kind: Kind, blank: str) -> str:
    number = "0*(%d|[1-9]?[0-9])" % PERCENT_MAX if kind.name == "percent" else "[0-9]+"
    units = [unit for unit in kind.units if unit]
    unit = units[0] if len(units) == 1 else "(%s)" % "|".join(units)
    return "^%s$" % blank.join(("", number, unit + ("?" if "" in kind.units else ""), ""))


def format_of(kind: Kind) -> dict[str, Any]:
    """Return the format of a text with a number and a unit, as the engine reads it.

    Editors show the pattern that a value does not match, so values in ASCII have a short one. The other pattern has all
    white space.
    """
    return {
        "if": {"pattern": "^[ -~]*$"},
        "then": {"pattern": _pattern(kind, " *")},
        "else": {"pattern": _pattern(kind, _character_class(WHITE_SPACE))},
    }


def _schema_of(setting: Setting) -> dict[str, Any]:
    kind = setting.kind
    text = re.sub(r"\bO\((\w+)\)", lambda found: found[1].replace("_", "-"), setting.about.split("\n")[0])
    text = re.sub(r"\b[CEV]\(([^)]*)\)", r"\1", text)
    schema: dict[str, Any] = {"description": text}
    if kind.name == "path":
        return {**schema, "type": "string", "pattern": "^/", "maxLength": PATH_MAX, "examples": [kind.example]}
    schema["description"] += " %s." % ", ".join(filter(None, (kind.rule[0].upper() + kind.rule[1:], setting.bound)))
    if kind.name == "level":
        return {
            **schema,
            "type": "integer",
            "minimum": LEVEL_MIN,
            "maximum": LEVEL_MAX,
            "default": setting.default,
        }
    return {**schema, "type": "string", "default": default_of(setting), **format_of(kind)}


def schema(dialect: Dialect) -> str:
    """Return the JSON Schema of a cache config for the versions of a dialect, in draft 7 for the editors' extensions."""
    properties: dict[str, Any] = {}
    if dialect.enabled:
        properties["enabled"] = {
            "description": "Whether the cache is on. Mandatory up to Wasmtime 32, refused by later ones.",
            "type": "boolean",
            "default": True,
        }
    for setting in SETTINGS.values():
        if setting.known_to(dialect.first, dialect.last):
            properties[setting.name] = _schema_of(setting)
    table = {
        "description": "The settings of the compilation cache.",
        "type": "object",
        "properties": properties,
        **({"required": ["enabled"]} if dialect.enabled else {}),
        "additionalProperties": False,
    }
    document = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "%s/%s" % (SCHEMAS_ADDRESS, schema_name(dialect)),
        "title": "Wasmtime cache config (Wasmtime %s)" % _versions(dialect),
        "type": "object",
        "properties": {"cache": table},
        "required": ["cache"],
        "additionalProperties": False,
    }
    return json.dumps(document, indent=2) + "\n"


def names(found: Iterable[str]) -> str:
    """Return names of variables, one per line."""
    return "".join('    "%s",\n' % name for name in sorted(found))


def everything() -> dict[str, str]:
    """Return the texts of all generated files."""
    read: Callable[[str], str] = lambda name: (ROOT / name).read_text(encoding="utf-8")  # noqa: E731
    new_fragment = fragment()
    files = {FRAGMENT: replaced(read(FRAGMENT), r'(SETTINGS = r"""\n)(.*?)(^""")', new_fragment)}
    for name, values in SAMPLES.items():
        files[name] = replaced(read(name), r"(^effective:\n.*?^  sample:\n)((?:    \w+: \S+\n)+)(^\w)", sample(values))
    name = "plugins/modules/cache_config_info.py"
    files[name] = replaced(
        files[name],
        r"(^accepted_by:\n.*?^  sample: )(\[.*?\])(\n)",
        json.dumps([dialect.name for dialect in CURRENT]),
    )
    files[CACHE_CONFIG] = replaced(
        files[CACHE_CONFIG],
        r"(^  ignore_dangers:\n(?:    [^\n]*\n)*?    choices:\n)((?:      - [\w-]+\n)+)(^  \w)",
        codes(DANGER, "      - %s\n"),
    )
    files[CHECK] = read(CHECK)
    for name, severity in (("DANGERS", DANGER), ("WARNINGS", WARNING)):
        files[CHECK] = replaced(files[CHECK], r"(^%s = \(\n)(.*?)(^\)\n)" % name, codes(severity, '    "%s",\n'))
    files[PROBLEMS] = replaced(read(PROBLEMS), r"(^\|(?:---\|)+\n)((?:\|[^\n]*\n)+)(\Z)", problems())
    files["README.md"] = replaced(
        read("README.md"), r"(^\| Setting \| Default \| Format \|\n\|[-|]+\|\n)((?:\|.*?\|\n)+)(\n)", table()
    )
    source_of: Callable[[str], str] = lambda name: files.get(name) or read(name)  # noqa: E731
    name = ROLE + "/meta/argument_specs.yml"
    files[name] = specification(read(name), new_fragment, source_of)
    spec = yaml.safe_load(files[name])
    provision = set(spec["argument_specs"]["main"]["options"])
    others = {name for entry_point in spec["argument_specs"].values() for name in entry_point["options"]} - provision
    files[NAMES] = replaced(read(NAMES), r"(^OF_PROVISION = \(\n)(.*?)(^\))", names(provision))
    files[NAMES] = replaced(files[NAMES], r"(^OF_THE_ROLE = \(\n    \*OF_PROVISION,\n)(.*?)(^\))", names(others))
    for entry_point in WITH_ARGUMENTS:
        module = ENTRY_POINTS[entry_point][0]
        name = "%s/tasks/%s.yml" % (ROLE, entry_point)
        text = read(name)
        indent = re.search(r"^( +)wasmops\.wasmtime\.%s:" % module, text, re.MULTILINE)[1] + "  "  # type: ignore[index]
        files[name] = replaced(
            text,
            r"(^ +wasmops\.wasmtime\.%s:\n)((?:%s\w+: .*?\n)+)(^ +register)" % (module, indent),
            arguments(spec, entry_point, indent, options_of(source_of("plugins/modules/%s.py" % module), new_fragment)),
        )
    for dialect in DIALECTS:
        name = "%s/%s" % (SCHEMAS, schema_name(dialect))
        files.update({name: schema(dialect), name + ".license": LICENCE})
    return files


def stale(folder: Path) -> list[str]:
    """Return the generated files in a collection that are missing, differ, or are no longer generated."""
    texts = everything()
    changed = [
        name
        for name, text in texts.items()
        if not (folder / name).exists() or (folder / name).read_text(encoding="utf-8") != text
    ]
    there = {str(path.relative_to(folder)) for path in (folder / SCHEMAS).glob("*")}
    return changed + sorted(there - set(texts))


def main(folder: Path) -> None:
    """Write the stale files, and print their names."""
    texts = everything()
    for name in stale(folder):
        if name in texts:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(texts[name], encoding="utf-8")
        else:
            (folder / name).unlink()
        print(name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
