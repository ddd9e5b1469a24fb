// Copyright (c) 2026 wasmops contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-FileCopyrightText: 2026 wasmops contributors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Lists the hosts. What hosts say is put into the page as text nodes and nothing else.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);

  // --- The data: see pack() in plugin_utils/_page.py ---

  const LIST = -1, SHARED = -2;
  const given = JSON.parse(byId("data").textContent);
  const shared = [];
  const unpack = (value) => {
    if (!Array.isArray(value)) return value;
    const [kind, ...rest] = value;
    if (kind === SHARED) return shared[rest[0]];
    if (kind === LIST) return rest.map(unpack);
    return Object.fromEntries(given.fleet.shapes[kind].map((key, place) => [key, unpack(rest[place])]));
  };
  // One by one, as later ones are made of earlier ones.
  for (const value of given.fleet.shared) shared.push(unpack(value));
  const fleet = unpack(given.fleet.data);
  const hosts = fleet.hosts;
  const settingNames = new Map(given.settings.map((setting) => [setting.option, setting.name]));
  const { versions } = fleet;
  // From the best to the worst. Hosts that could not be looked at come before those that have only warnings.
  const VERDICTS = Object.keys(fleet.totals.verdicts);
  const gravity = (host) => (isLost(host) ? VERDICTS.indexOf("with warnings") + 0.5 : VERDICTS.indexOf(host.verdict));

  // --- Texts ---

  const number = (value) => value.toLocaleString("en");
  const count = (value, one, many) => `${number(value)} ${value === 1 ? one : many}`;
  const size = (bytes) => {
    const units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let unit = 0;
    let value = bytes;
    // 1023.95 would be shown as 1,024.0
    while (value >= (unit ? 1023.95 : 1024) && unit < units.length - 1) {
      value /= 1024;
      unit += 1;
    }
    return `${value.toLocaleString("en", { maximumFractionDigits: unit ? 1 : 0 })}\u00a0${bytes === 1 ? "byte" : units[unit]}`;
  };
  const time = (seconds) => {
    const date = new Date(seconds * 1000);
    return Number.isNaN(date.getTime()) ? `${seconds} s` : `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
  };
  const percent = (value) => `${value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 })}%`;
  const settingText = (option, value) => {
    if (value === null) return "invalid";
    return given.texts[option]?.[String(value)] ?? String(value);
  };
  const versionText = (name) => name.replace("<=", "up to ").replace("-", " to ").replace(">=", "from ");

  /** Versions in as few words as it takes: neighbours become one range. */
  const versionsText = (names) => {
    if (!names.length) return "none";
    if (versions.every((name) => names.includes(name))) return "all";
    const ranges = [];
    for (const [place, name] of versions.entries()) {
      if (!names.includes(name)) continue;
      const [first, last] = name.startsWith("<=") ? ["", name.slice(2)]
        : name.startsWith(">=") ? [name.slice(2), ""]
          : [name.split("-")[0], name.split("-").at(-1)];
      const before = ranges.at(-1);
      if (before && before.place === place - 1) Object.assign(before, { place, last });
      else ranges.push({ place, first, last });
    }
    const texts = ranges.map(({ first, last }) => {
      if (!first) return `up to ${last}`;
      if (!last) return `from ${first}`;
      return first === last ? first : `${first} to ${last}`;
    });
    // Programs with some of these versions: "39-47 with TOML 1.1".
    const some = names.filter((name) => !versions.includes(name)).map(versionText);
    return [...some, ...texts].join(", ");
  };

  // --- Elements ---

  /** An element with these attributes; children are elements, or text. */
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children.filter((child) => child !== null));
    return element;
  };
  /** A text that breaks after this character where it does not fit into a line. */
  const breakable = (text, after = "/") => text.split(after).flatMap((part, place) => (place ? [after, make("wbr"), part] : [part]));
  // Names from hosts may be of any script and direction; these keep them from mixing with what is around.
  const apart = (text) => make("bdi", {}, ...breakable(text));
  const path = (text) => make("bdi", { class: "path" }, ...breakable(text));

  const chip = (kind, value) => make("span", { class: kind, [`data-${kind}`]: value }, value);
  const code = (severity, name) => make("span", { class: "code", "data-severity": severity }, name);

  const bar = (used) => {
    const element = make("span", { class: `bar${used > 100 ? " over" : used >= 75 ? " much" : ""}`, "aria-hidden": "true" }, make("span"));
    element.firstChild.style.width = `${Math.min(used, 100)}%`;
    return element;
  };

  /** How much of a limit is used, as a bar and in words. */
  const usageOf = (limit, text) => {
    if (limit.limit === null || limit.percent === null) return [text(limit.used)];
    return [bar(limit.percent), `${text(limit.used)} of ${text(limit.limit)} (${percent(limit.percent)})`];
  };

  const SIZE = "files_total_size_soft_limit";
  const ENTRIES = "file_count_soft_limit";

  /** A list of names and what they stand for, without those that stand for nothing. */
  const list = (...pairs) => {
    const element = make("dl");
    for (const [name, ...value] of pairs) {
      if (value[0] !== null && value[0] !== undefined) element.append(make("dt", {}, name), make("dd", {}, ...value));
    }
    return element;
  };

  /** A table; where there is little room, each row becomes a card. */
  const table = (columns, rows) => make(
    "table", { class: "cards" },
    make("thead", {}, make("tr", {}, ...columns.map((column) => make("th", { scope: "col" }, column)))),
    make("tbody", {}, ...rows.map(([first, ...cells]) => make(
      "tr", {}, make("th", { scope: "row" }, first),
      ...cells.map((cell, place) => make("td", { "data-label": columns[place + 1] }, cell)),
    ))),
  );

  const part = (title, ...children) => make("div", {}, make("h3", {}, title), ...children);

  // --- What is known of a host ---

  const isLost = (host) => host.message !== null;
  const codesOf = (host) => [...new Set(host.problems.map((problem) => problem.code)), ...host.notes];

  const hostCell = (host, place) => {
    // Where the name can break, a screen reader would make a pause.
    const button = make("button", { type: "button", class: "host", "aria-label": host.name, "aria-expanded": "false", "aria-controls": `details-${place}` }, make("bdi", {}, ...breakable(host.name, ".")));
    button.addEventListener("click", () => toggle(button, host, button.getAttribute("aria-expanded") !== "true"));
    return make("th", { scope: "row" }, button);
  };

  const problemsCell = (host) => {
    if (isLost(host)) return make("td", { class: "soft" }, apart(host.message));
    // A code can be of two severities: the worse one, which comes first, counts.
    const severities = new Map(host.problems.toReversed().map((problem) => [problem.code, problem.severity]));
    const codes = codesOf(host).map((name) => code(severities.get(name) ?? "note", name));
    return make("td", {}, codes.length ? make("div", { class: "codes" }, ...codes) : make("span", { class: "soft" }, "none"));
  };

  const differsCell = (host) => {
    const most = 3;
    const items = host.differs.slice(0, most).map((option) => make(
      "li", {}, `${settingNames.get(option) ?? option} = `, path(settingText(option, host.effective[option])),
    ));
    if (host.differs.length > most) items.push(make("li", { class: "soft" }, `and ${host.differs.length - most} more`));
    if (!items.length && !isLost(host)) return make("td", {}, make("span", { class: "soft" }, "nothing"));
    return make("td", {}, make("ul", { class: "differing" }, ...items));
  };

  const usageCell = (host, name, text) => {
    const limit = host.usage?.limits?.[name];
    return limit && limit.limit !== null ? make("td", { class: "usage" }, ...usageOf(limit, text)) : make("td", { class: "soft" }, isLost(host) ? "" : "not known");
  };

  const versionsCell = (host) => make("td", { class: "versions" }, isLost(host) ? "" : versionsText(host.accepted_by));

  /** The most common value of a setting, and how many hosts have it. */
  const commonText = (option) => {
    const common = fleet.common[option];
    if (common === undefined) return "none";
    const value = common.value === null ? "the default of each user" : path(settingText(option, common.value));
    return make("span", {}, value, make("span", { class: "soft" }, ` (${number(common.hosts)} of ${number(common.of)})`));
  };

  const problemsPart = (host) => {
    const items = host.problems.map((problem) => make(
      "li", {}, chip("severity", problem.severity), " ", make("code", {}, problem.code),
      problem.line === null ? null : ` in line ${problem.line}, column ${problem.column}`,
      make("br"), apart(problem.message), make("br"), make("span", { class: "remedy" }, apart(problem.remedy)),
    ));
    items.push(...host.notes.map((note) => make(
      "li", {}, chip("severity", "note"), " ", make("code", {}, note), make("br"), given.notes[note] ?? "",
      note === "usage-unknown" && host.usage_message ? make("span", {}, ": ", apart(host.usage_message)) : null,
    )));
    return items.length ? part("Problems", make("ul", {}, ...items)) : part("Problems", make("p", { class: "soft" }, "none"));
  };

  const settingsPart = (host) => {
    const row = (option) => [
      settingNames.get(option) ?? option,
      make("span", {}, path(settingText(option, host.effective[option])), host.defaults.includes(option) ? make("span", { class: "soft" }, " (default)") : ""),
      commonText(option),
    ];
    const columns = ["Setting", "Here", "Most common"];
    const options = Object.keys(host.effective);
    return part(
      "Settings that differ from most hosts",
      host.differs.length ? table(columns, host.differs.map(row)) : make("p", { class: "soft" }, "none"),
      options.length ? make("details", {}, make("summary", {}, "All settings"), table(columns, options.map(row))) : null,
    );
  };

  const configPart = (host) => {
    const directory = host.directory;
    return part("Config and cache directory", list(
      ["Config", host.path === null ? null : path(host.path)],
      ["Suits", versionsText(host.accepted_by)],
      ["Judged for", host.wasmtime_version === null ? "every Wasmtime from 33 on" : apart(host.wasmtime_version)],
      ["Directory", directory ? path(directory.path) : null],
      ["", directory ? (directory.exists ? "exists" : "does not exist yet") : null],
      ["Owner", directory?.owner ? apart([directory.owner, directory.group].filter(Boolean).join(":")) : null],
      ["Mode", directory?.mode],
    ));
  };

  const examples = (found, names) => {
    const more = found - names.length;
    return [...names.flatMap((name) => [make("br"), path(name)]), more > 0 ? make("span", {}, make("br"), `and ${number(more)} more`) : null];
  };

  const named = (names) => names.flatMap((name, place) => (place ? [make("br"), path(name)] : [path(name)]));

  const usagePart = ({ usage }) => {
    if (usage === null) return null;
    const { limits = {}, usages } = usage;
    const levels = Object.entries(usage.recorded_levels ?? {});
    return part("Usage", list(
      ["Looked at", usage.directory === null ? null : path(usage.directory)],
      ["Size", ...(limits[SIZE] ? usageOf(limits[SIZE], size) : [size(usage.size)])],
      ["Entries", ...(limits[ENTRIES] ? usageOf(limits[ENTRIES], number) : [number(usage.entries)])],
      ["On disk", size(usage.size_on_disk)],
      ["Oldest", usage.oldest ? time(usage.oldest.time) : null],
      ["Newest", usage.newest ? time(usage.newest.time) : null],
      ["Used", usages?.total && usages.least !== null && usages.most !== null ? `${count(usages.total, "time", "times")}, an entry ${number(usages.least)} to ${number(usages.most)}` : null],
      ["Levels", levels.length ? levels.map(([level, found]) => `${count(found, "entry", "entries")} at ${level}`).join(", ") : null],
      ["Stopped by", usage.stopped_by],
      ["Not readable", ...named(usage.unreadable)],
      ["Links followed", ...named(usage.links)],
    ));
  };

  const cleanupPart = ({ usage }) => {
    if (usage === null) return null;
    const { next_cleanup: cleanup, foreign, stale_locks: stale } = usage;
    if (cleanup === null) return part("Next cleanup", make("p", { class: "soft" }, "not known"));
    const others = cleanup.foreign_deleted + cleanup.leftovers_deleted;
    return part("Next cleanup", list(
      ["Deletes", `${count(cleanup.entries_deleted, "entry", "entries")}, ${size(cleanup.bytes_deleted)}`],
      ["Leaves", `${count(cleanup.entries_left, "entry", "entries")}, ${size(cleanup.bytes_left)}`],
      ["Other files", others ? `deletes ${number(others)}` : null],
      ["First", ...named(cleanup.deleted)],
      ["Not before", cleanup.blocked_until ? time(cleanup.blocked_until) : null],
      ["Not its own", foreign?.count ? `${count(foreign.count, "file", "files")}, ${size(foreign.size)}` : null, ...examples(foreign?.count ?? 0, foreign?.names ?? [])],
      ["Stale locks", stale.count ? number(stale.count) : null, ...examples(stale.count, stale.names)],
    ));
  };

  const compilersPart = ({ usage }) => {
    if (!usage?.compilers?.length) return null;
    return part("Compilers", table(
      ["Version", "Entries", "Size", "Newest"],
      usage.compilers.map((compiler) => [
        path(compiler.name), number(compiler.entries), size(compiler.size), compiler.newest === null ? "" : time(compiler.newest).slice(0, 10),
      ]),
    ));
  };

  const verifiedPart = ({ usage }) => {
    if (!usage?.verified) return null;
    const { verified } = usage;
    return part("Entries decompressed", list(
      ["Entries", `${number(verified.entries)}${verified.complete ? "" : ", not all"}`],
      ["Broken", number(verified.broken_count), ...examples(verified.broken_count, verified.broken.map(({ name, reason }) => `${name}: ${reason}`))],
      ["Size", `${size(verified.compressed)}, decompressed ${size(verified.uncompressed)}`],
    ));
  };

  const levelsPart = ({ usage }) => {
    if (!usage?.levels?.length) return null;
    return part("Compression levels, measured there", table(
      ["Level", "Ratio", "Compresses", "Decompresses"],
      usage.levels.map((level) => [
        String(level.level),
        ...[[level.ratio, ""], [level.compress_mb_per_s, " MB/s"], [level.decompress_mb_per_s, " MB/s"]]
          .map(([value, unit]) => (value === null ? "not measured" : `${number(value)}${unit}`)),
      ]),
    ));
  };

  const suggestedPart = ({ usage }) => {
    if (!usage?.suggested.length) return null;
    return part("Suggested settings", table(
      ["Setting", "Value", "Why"],
      usage.suggested.map(({ setting, value, reason }) => [settingNames.get(setting) ?? setting, String(value), apart(reason)]),
    ));
  };

  const prunablePart = ({ prunable }) => {
    if (!prunable) return null;
    const kinds = Object.entries(prunable.kinds).filter(([, found]) => found.count);
    return part(
      "What pruning would free",
      kinds.length
        ? table(["Kind", "Removes", "Frees on disk"], kinds.map(([kind, found]) => [kind, number(found.count), size(found.size_on_disk)]))
        : make("p", { class: "soft" }, "nothing"),
      prunable.complete ? null : make("p", {}, "Not everything was judged."),
      ...prunable.notes.map((note) => make("p", {}, apart(note))),
    );
  };

  // What opens below a host, in this order. Each gives the element of one part, or null if there is nothing to say.
  const PARTS = [
    problemsPart, settingsPart, configPart, usagePart, cleanupPart, compilersPart, verifiedPart, levelsPart, suggestedPart,
    prunablePart,
  ];
  /** A part, or why it is not there: data that it does not expect must not keep the others, and other hosts, from opening. */
  const partOf = (makePart, host) => {
    try {
      return makePart(host);
    } catch {
      return make("div", {}, make("p", { class: "soft" }, "A part cannot be shown: its data is malformed."));
    }
  };
  const detailsOf = (host) => (isLost(host)
    ? [part(host.verdict, make("p", {}, apart(host.message || "no reason is known")))]
    : PARTS.map((makePart) => partOf(makePart, host)).filter(Boolean));

  // --- Which hosts are shown, and in which order ---

  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const alphabetical = new Map([...hosts].sort((one, other) => collator.compare(one.name, other.name)).map((host, place) => [host, place]));
  const used = (host, name) => host.usage?.limits?.[name]?.percent ?? -1;
  // The columns of the table. key: by which it is sorted; cell: what is in it.
  const COLUMNS = [
    { name: "name", title: "Host", key: (host) => alphabetical.get(host), cell: hostCell },
    { name: "verdict", title: "Verdict", key: gravity, cell: (host) => make("td", {}, chip("verdict", host.verdict)) },
    { name: "problems", title: "Problems", key: (host) => host.problems.length + host.notes.length / 100, cell: problemsCell },
    { name: "differs", title: "Differs from most", key: (host) => host.differs.length, cell: differsCell },
    { name: "size", title: "Size", key: (host) => used(host, SIZE), cell: (host) => usageCell(host, SIZE, size) },
    { name: "entries", title: "Entries", key: (host) => used(host, ENTRIES), cell: (host) => usageCell(host, ENTRIES, number) },
    { name: "versions", title: "Wasmtime", key: (host) => host.accepted_by.length, cell: versionsCell },
  ];
  const KEYS = Object.fromEntries(COLUMNS.map(({ name, key }) => [name, key]));
  const FILTERS = {
    verdict: (host, value) => host.verdict === value,
    problem: (host, value) => host.notes.includes(value) || host.problems.some((problem) => problem.code === value),
    version: (host, value) => !isLost(host) && host.accepted_by.includes(value.slice(1)) === (value[0] === "+"),
    fullness: (host, value) => host.fullness === value,
  };
  // What is shown. What is not as it is here is in the fragment of the address, so that a link leads to the same hosts.
  const START = { search: "", verdict: "", problem: "", version: "", fullness: "", sort: "verdict", order: "descending", page: "1", rows: "50" };
  const state = { ...START };
  const texts = new Map();

  /** All that can be searched for of a host. */
  const textOf = (host) => {
    if (!texts.has(host)) {
      const parts = [
        host.name, host.verdict, host.message, host.path, host.directory?.path, host.usage_message,
        ...host.problems.flatMap((problem) => [problem.code, problem.message]), ...host.notes,
        ...host.differs.flatMap((option) => [settingNames.get(option), settingText(option, host.effective[option])]),
        ...(host.usage?.compilers ?? []).map((compiler) => compiler.name),
      ];
      texts.set(host, parts.filter(Boolean).join("\n").toLowerCase());
    }
    return texts.get(host);
  };

  const chosen = () => {
    const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
    const filters = Object.entries(FILTERS).filter(([name]) => state[name] !== "");
    const found = hosts.filter((host) => filters.every(([name, fits]) => fits(host, state[name]))
      && words.every((word) => textOf(host).includes(word)));
    const key = KEYS[state.sort];
    const sign = state.order === "descending" ? -1 : 1;
    return found.sort((one, other) => sign * (key(one) - key(other)) || KEYS.name(one) - KEYS.name(other));
  };

  // --- Hosts as CSV ---

  const CSV = [
    ["host", (host) => host.name],
    ["verdict", (host) => host.verdict],
    ["reason", (host) => host.message ?? host.usage_message],
    ["problems", (host) => codesOf(host).join(" ")],
    ["differs", (host) => host.differs.map((option) => `${settingNames.get(option) ?? option} = ${settingText(option, host.effective[option])}`).join("; ")],
    ["bytes", (host) => host.usage?.size],
    ["bytes_limit", (host) => host.usage?.limits?.[SIZE]?.limit],
    ["entries", (host) => host.usage?.entries],
    ["entries_limit", (host) => host.usage?.limits?.[ENTRIES]?.limit],
    ["percent", (host) => host.percent],
    ["wasmtime", (host) => (isLost(host) ? null : versionsText(host.accepted_by))],
    ["config", (host) => host.path],
    ["directory", (host) => host.directory?.path],
  ];

  /**
   * A field of CSV. Programs for spreadsheets run a cell that begins with one of the characters below. A host must not
   * choose what they run, so an apostrophe is put before: also behind what can separate cells, as some read semicolons so.
   */
  const field = (value) => {
    if (typeof value === "number") return String(value);
    const tame = (value ?? "").replace(/(^|[;,\t\r\n"|])(\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])/gu, "$1$2'");
    return `"${tame.replaceAll('"', '""')}"`;
  };
  const csvOf = (found) => [CSV.map(([name]) => name), ...found.map((host) => CSV.map(([, value]) => field(value(host))))]
    .map((cells) => `${cells.join(",")}\r\n`).join("");

  // --- The page ---

  byId("columns").append(...COLUMNS.map(({ name, title }) => make(
    "th", { scope: "col" }, make("button", { type: "button", "data-sort": name }, title),
  )));

  const rows = byId("rows");
  let shown = [];

  const toggle = (button, host, open) => {
    if ((button.getAttribute("aria-expanded") === "true") === open) return;
    const row = button.closest("tr");
    button.setAttribute("aria-expanded", String(open));
    if (open) {
      const cell = make("td", { colspan: COLUMNS.length }, make("div", { class: "details-grid" }, ...detailsOf(host)));
      row.after(make("tr", { class: "details", id: button.getAttribute("aria-controls") }, cell));
    } else {
      row.nextElementSibling.remove();
    }
    tellOpen();
  };

  const hostRow = (host, place) => make("tr", {}, ...COLUMNS.map(({ title, cell }) => {
    const element = cell(host, place);
    if (element.matches("td")) element.dataset.label = title;
    return element;
  }));

  const buttons = () => [...rows.querySelectorAll(":scope > tr > th > .host")];
  const allOpen = () => shown.length > 0 && !rows.querySelector('.host[aria-expanded="false"]');
  const tellOpen = () => {
    byId("open").textContent = allOpen() ? "Close all on this page" : "Open all on this page";
  };

  const show = () => {
    const perPage = Number(state.rows);
    const found = chosen();
    const pages = Math.max(1, Math.ceil(found.length / perPage));
    const current = Math.min(Math.max(Math.trunc(Number(state.page)) || 1, 1), pages);
    state.page = String(current);
    const start = (current - 1) * perPage;
    shown = found.slice(start, start + perPage);
    rows.replaceChildren(...shown.map(hostRow));
    if (!shown.length) rows.append(make("tr", {}, make("td", { colspan: COLUMNS.length, class: "soft" }, hosts.length ? "No host is like this." : "There are no hosts.")));

    const which = shown.length === found.length ? "" : `${number(start + 1)} to ${number(start + shown.length)} of `;
    const of = found.length === hosts.length ? "" : ` of ${number(hosts.length)}`;
    byId("count").textContent = `${which}${count(found.length, "host", "hosts")}${of}`;
    byId("page").textContent = `Page ${number(current)} of ${number(pages)}`;
    for (const button of document.querySelectorAll("[data-page]")) {
      // Not disabled in earnest: the focus would be lost.
      const end = ["first", "previous"].includes(button.dataset.page) ? current === 1 : current === pages;
      button.setAttribute("aria-disabled", String(end));
    }
    for (const button of document.querySelectorAll("[data-sort]")) {
      const cell = button.closest("th");
      if (button.dataset.sort === state.sort) cell.setAttribute("aria-sort", state.order);
      else cell.removeAttribute("aria-sort");
    }
    for (const button of document.querySelectorAll("button[data-filter]")) {
      button.setAttribute("aria-pressed", String(state[button.dataset.filter] === button.dataset.value));
    }
    for (const select of document.querySelectorAll("select[data-filter]")) select.value = state[select.dataset.filter];
    byId("rows-per-page").value = state.rows;
    if (byId("search").value !== state.search) byId("search").value = state.search;
    tellOpen();
    const fragment = new URLSearchParams(Object.entries(state).filter(([name, value]) => value !== START[name])).toString();
    if (fragment !== location.hash.slice(1)) history.replaceState(null, "", `#${fragment}`);
  };

  /** Takes what is shown from the address. */
  const follow = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    for (const name of Object.keys(START)) state[name] = given.get(name) ?? START[name];
    if (!Object.hasOwn(KEYS, state.sort)) state.sort = START.sort;
    if (state.order !== "ascending") state.order = "descending";
    if (![...byId("rows-per-page").options].some(({ value }) => value === state.rows)) state.rows = START.rows;
    for (const select of document.querySelectorAll("select[data-filter]")) {
      // No host of this report is like that; a link must not show others instead.
      const value = state[select.dataset.filter];
      if (![...select.options].some((choice) => choice.value === value)) select.append(option(value, `${value} (0)`));
    }
    show();
  };

  /** Shows what a filter at the top of the page has found, which may be far below it. */
  const go = () => byId("hosts").focus();

  const choose = (filter, value) => {
    Object.assign(state, { page: START.page, [filter]: value });
    show();
  };

  // --- What can be chosen ---

  const option = (value, label) => make("option", { value }, label);
  const group = (label, ...options) => make("optgroup", { label }, ...options.filter(Boolean));
  const counted = (name, found) => (found ? option(name, `${name} (${number(found)})`) : null);
  const { totals } = fleet;
  byId("verdict").append(...Object.entries(totals.verdicts).map(([name, found]) => counted(name, found)).filter(Boolean));
  byId("fullness").append(...Object.entries(totals.fullness).map(([name, found]) => counted(name, found)).filter(Boolean));
  for (const severity of given.severities) {
    // A code can be of two severities, and is one choice.
    const codes = fleet.problems.filter((problem) => problem.severity === severity);
    if (codes.length) byId("problem").append(group(severity, ...codes.map((problem) => counted(problem.code, problem.hosts))));
  }
  const notes = Object.entries(totals.notes).map(([name, found]) => counted(name, found)).filter(Boolean);
  if (notes.length) byId("problem").append(group("note", ...notes));
  const seen = hosts.filter((host) => !isLost(host)).length;
  byId("version").append(
    group("suits", ...versions.map((name) => option(`+${name}`, `${versionText(name)} (${number(totals.accepted_by[name])})`))),
    group("does not suit", ...versions.map((name) => option(`-${name}`, `not ${versionText(name)} (${number(seen - totals.accepted_by[name])})`))),
  );

  for (const select of document.querySelectorAll("select[data-filter]")) {
    select.addEventListener("change", () => choose(select.dataset.filter, select.value));
  }
  for (const button of document.querySelectorAll("button[data-filter]")) {
    button.disabled = false;
    button.addEventListener("click", () => {
      const { filter, value } = button.dataset;
      const off = state[filter] === value;
      choose(filter, off ? "" : value);
      if (!off) go();
    });
  }
  for (const button of document.querySelectorAll("[data-sort]")) {
    button.addEventListener("click", () => {
      const again = state.sort === button.dataset.sort;
      // Names from the first, all else from the most.
      const descending = again ? state.order === "ascending" : button.dataset.sort !== "name";
      Object.assign(state, { sort: button.dataset.sort, order: descending ? "descending" : "ascending", page: START.page });
      show();
    });
  }
  const STEPS = { first: () => 1, previous: (page) => page - 1, next: (page) => page + 1, last: () => Number.MAX_SAFE_INTEGER };
  for (const button of document.querySelectorAll("[data-page]")) {
    button.addEventListener("click", () => {
      state.page = String(STEPS[button.dataset.page](Number(state.page)));
      show();
    });
  }
  byId("rows-per-page").addEventListener("change", () => choose("rows", byId("rows-per-page").value));
  byId("search").addEventListener("input", () => choose("search", byId("search").value));
  byId("reset").addEventListener("click", () => {
    const { sort, order, rows: perPage } = state;
    Object.assign(state, START, { sort, order, rows: perPage });
    show();
  });
  byId("csv").addEventListener("click", () => {
    // Without the first character, spreadsheets take other letters than ASCII for something else.
    const address = URL.createObjectURL(new Blob(["\ufeff", csvOf(chosen())], { type: "text/csv" }));
    make("a", { href: address, download: "wasmtime-caches.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  });
  byId("open").addEventListener("click", () => {
    const open = !allOpen();
    for (const [place, button] of buttons().entries()) toggle(button, shown[place], open);
  });

  const THEMES = ["system", "light", "dark"];
  byId("theme").addEventListener("click", () => {
    const before = document.documentElement.dataset.theme ?? THEMES[0];
    const theme = THEMES[(THEMES.indexOf(before) + 1) % THEMES.length];
    document.documentElement.dataset.theme = theme;
    byId("theme").textContent = `Theme: ${theme}`;
  });

  byId("theme").hidden = false;
  byId("hosts").hidden = false;
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();  // the fragment has what is shown
    go();
  });
  window.addEventListener("hashchange", follow);
  follow();
})();
