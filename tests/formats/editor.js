// Copyright (c) 2026 wasmops contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-FileCopyrightText: 2026 wasmops contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What an editor asks taplo's language server when somebody opens a file.
// Usage: node editor.js URI TEXT LINE COLUMN; prints completion, hover and diagnostics as JSON.

const fs = require("node:fs");
const path = require("node:path");
const { TaploLsp } = require("@taplo/lsp");

const [uri, text, line, character] = process.argv.slice(2);
const none = async () => 0;
const environment = {
  now: () => new Date(),
  envVar: (name) => process.env[name],
  envVars: () => Object.entries(process.env),
  stdErrAtty: () => false,
  stdin: none,
  stdout: none,
  stderr: none,
  glob: () => [],
  readFile: (name) => fs.promises.readFile(name),
  writeFile: none,
  urlToFilePath: (url) => decodeURIComponent(url.slice("file://".length)),
  isAbsolute: (name) => path.isAbsolute(name),
  cwd: () => process.cwd(),
  findConfigFile: () => undefined,
  // Nothing is loaded from elsewhere: the schema is a file.
  fetch: { fetch: () => Promise.reject(new Error("offline")), Headers, Request, Response },
};

const answers = new Map();
let diagnostics = [];
let server;

function receive(message) {
  if (message.method === "textDocument/publishDiagnostics") {
    diagnostics = message.params.diagnostics;
  } else if (message.method && message.id !== undefined) {
    server.send({ jsonrpc: "2.0", id: message.id, result: message.params.items?.map(() => null) ?? null });
  } else if (message.id !== undefined) {
    answers.get(message.id)(message.result);
  }
}

function ask(id, method, params) {
  return new Promise((resolve) => {
    answers.set(id, resolve);
    server.send({ jsonrpc: "2.0", id, method, params });
  });
}

(async () => {
  server = await TaploLsp.initialize(environment, { onMessage: receive });
  await ask(1, "initialize", {
    rootUri: path.dirname(uri),
    workspaceFolders: [{ uri: path.dirname(uri), name: "folder" }],
    capabilities: { workspace: { configuration: true, workspaceFolders: true } },
  });
  server.send({ jsonrpc: "2.0", method: "initialized", params: {} });
  const document = { uri, languageId: "toml", version: 1, text };
  server.send({ jsonrpc: "2.0", method: "textDocument/didOpen", params: { textDocument: document } });
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const place = { textDocument: { uri }, position: { line: Number(line), character: Number(character) } };
  const completion = await ask(2, "textDocument/completion", place);
  const hover = await ask(3, "textDocument/hover", place);
  fs.writeSync(1, JSON.stringify({ completion, hover, diagnostics }));
  process.exit(0);
})();
