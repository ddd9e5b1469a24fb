# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Sphinx makes the site of what antsibull-docs has written and of the pages in rst/."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from docutils import nodes
from docutils.parsers.rst.directives.parts import Contents

if TYPE_CHECKING:
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.domains.std import StandardDomain
    from sphinx.environment import BuildEnvironment

project = "wasmops.wasmtime"
html_title = "Wasmtime's cache"
copyright = "2026 wasmops contributors"  # noqa: A001 # Sphinx's name for it

extensions = ["myst_parser", "sphinx_antsibull_ext"]
nitpicky = True
# Says that there are none.
exclude_patterns = ["environment_variables.rst"]

pygments_style = "ansible"
highlight_language = "YAML+Jinja"

html_theme = "furo"
html_static_path = ["theme"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_use_index = False

REPOSITORY = "https://github.com/wasmops/wasmtime"
# In the reference, to a place of Ansible's own documentation.
ANSIBLE = "https://docs.ansible.com/ansible/latest/"
OUTSIDE = (
    (re.compile(r"common_return_values\Z"), "reference_appendices/common_return_values.html"),
    (re.compile(r"callback_plugins\Z"), "plugins/callback.html"),
    (re.compile(r"ansible_collections\.ansible\.builtin\.(\w+)\Z"), r"collections/ansible/builtin/\1.html"),
    (re.compile(r"(ANSIBLE_\w+)\Z"), r"reference_appendices/config.html#envvar-\1"),
)


def add_labels(app: Sphinx, doctree: nodes.document) -> None:
    """Make each row of the table of problems a place that :ref:`code` leads to."""
    name = app.env.current_document.docname
    if name != "problems":
        return
    domain = cast("StandardDomain", app.env.get_domain("std"))
    for row in doctree.findall(nodes.row):
        code = row.next_node(nodes.literal)
        if code is not None:
            row["ids"].append(code.astext())
            domain.labels[code.astext()] = (name, code.astext(), code.astext())


def link_outside(app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.Element) -> nodes.reference | None:
    """Resolve what no page of the site has."""
    for target, page in OUTSIDE:
        found = target.match(node["reftarget"])
        if found:
            return nodes.reference("", "", text, refuri=ANSIBLE + found.expand(page), internal=False)
    return None


def link_to_repository(app: Sphinx, name: str, source: list[str]) -> None:
    """Let links of Markdown pages that lead out of docs/ lead to the repository."""
    source[0] = source[0].replace("](../", "](%s/tree/main/" % REPOSITORY)


class NoContents(Contents):
    """The contents of a page, which Furo has beside it and refuses within it."""

    def run(self) -> list[nodes.Node]:
        return []


# Where a page has a name as a title: the names of modules, and those of options.
_NAME = re.compile(r'(<h1>|<p class="ansible-option-title"[^>]*><strong>)([^<]+)')


def break_names(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Let names that do not fit into a line break after a dot or an underscore."""
    if "body" in context:
        context["body"] = _NAME.sub(
            lambda found: found[1] + re.sub(r"([._])(?=\w)", r"\1<wbr>", found[2]), context["body"]
        )


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.add_directive("contents", NoContents, override=True)
    app.connect("html-page-context", break_names)
    app.connect("doctree-read", add_labels)
    app.connect("source-read", link_to_repository)
    app.connect("missing-reference", link_outside)
