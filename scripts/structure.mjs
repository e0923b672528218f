/**
 * `npm run structure`: holds the sources to their layout, and draws it with `--draw`:
 *
 * HOUSE-1: an import goes down the list of rooms (`source-folder.mjs`) or stays within its room, never up.
 * HOUSE-2: no two folders import each other, at any depth, nor do more of them in a circle.
 * HOUSE-3: a file name means one thing: no two source files share it, but for those of `bench/` and of `cli/command/`,
 *          which are named for what is typed to run them.
 * HOUSE-4: every file of a room lies in it: nothing of TypeScript stands beside the rooms.
 * FORMAT-1: what replays a journal (`coordinator/core/apply.ts` with all it imports, and the rooms beside it) knows no policy, so
 *          that nothing retuned changes what an old journal adds up to.
 * FORMAT-5: what is stored (`coordinator/format`) imports nothing of the wire, nor of anything else.
 *
 * Reads the sources as text: an import is a line with `from "./…"`, `import("./…")` or `import "./…"`.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { rooms, sourceFolders } from "./source-folder.mjs";
import { root, runScript } from "./step.mjs";

const importPattern = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)"(\.{1,2}\/[^"]+)"/g;

/** Source files below `folder`, relative to the root. */
function sourcesIn(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return sourcesIn(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

/** Every import between two of the files, as `{ from, to }`. */
export function readImports(files, read = (file) => readFileSync(join(root, file), "utf8")) {
  const known = new Set(files);
  return files.flatMap((from) =>
    [...read(from).matchAll(importPattern)].flatMap(([, path]) => {
      const named = normalize(join(dirname(from), path));
      const to = [named, named.replace(/\.js$/, ".ts"), named.replace(/\.js$/, ".tsx")].find((file) =>
        known.has(file),
      );
      return to === undefined ? [] : [{ from, to }];
    }),
  );
}

/** What breaks a rule, one sentence each; empty where the layout holds. */
export function structureFaults(files, imports) {
  return [
    ...upward(imports),
    ...entangled(imports),
    ...sameNames(files),
    ...strays(files),
    ...formats(imports),
  ];
}

function upward(imports) {
  return imports
    .filter(({ from, to }) => rankOf(to) > rankOf(from))
    .map(
      ({ from, to }) =>
        `HOUSE-1: ${from} imports ${to}; ${roomOf(from)}/ lies below ${roomOf(to)}/ and may not know it`,
    );
}

function entangled(imports) {
  const edges = new Map();
  for (const { from, to } of imports) {
    const [a, b] = [dirname(from), dirname(to)];
    if (a === b) continue;
    if (!edges.has(a)) edges.set(a, new Map());
    edges.get(a).set(b, `${from} -> ${to}`);
  }
  return circlesOf(edges).map((circle) => {
    const examples = circle.flatMap((a) => circle.flatMap((b) => edges.get(a)?.get(b) ?? []));
    return `HOUSE-2: ${circle.join(" and ")} import each other: ${examples.slice(0, 6).join("; ")}`;
  });
}

/** Tarjan's strongly connected components of more than one folder. */
function circlesOf(edges) {
  const index = new Map();
  const low = new Map();
  const stack = [];
  const circles = [];
  const visit = (at) => {
    index.set(at, index.size);
    low.set(at, index.get(at));
    stack.push(at);
    for (const to of edges.get(at)?.keys() ?? []) {
      if (!index.has(to)) visit(to);
      if (stack.includes(to)) low.set(at, Math.min(low.get(at), low.get(to)));
    }
    if (low.get(at) !== index.get(at)) return;
    const circle = stack.splice(stack.indexOf(at));
    if (circle.length > 1) circles.push(circle.toSorted());
  };
  for (const at of edges.keys()) if (!index.has(at)) visit(at);
  return circles;
}

function sameNames(files) {
  const byName = new Map();
  for (const file of files) {
    if (roomOf(file) === "bench" || roomOf(file) === "tests" || dirname(file) === "cli/command") continue;
    const name = basename(file).replace(/\.tsx?$/, "");
    byName.set(name, [...(byName.get(name) ?? []), file]);
  }
  return [...byName.values()]
    .filter((same) => same.length > 1)
    .map((same) => `HOUSE-3: ${same.join(" and ")} share a name; a name means one thing`);
}

function strays(files) {
  return files
    .filter((file) => !sourceFolders.includes(roomOf(file)))
    .map((file) => `HOUSE-4: ${file} lies in no room; the rooms are in scripts/source-folder.mjs`);
}

const policies = /^(coordinator\/(queue|budget|placement|registry|insight|collect)|search\/stopping)\//;
const stored = /^coordinator\/(format|state|journal)\//;
const applied = /^coordinator\/core\/(apply|apply-\w+|replay)\.ts$/;

function formats(imports) {
  const faults = [];
  for (const { from, to } of imports) {
    if (stored.test(from) && policies.test(to)) faults.push(knowsPolicy(`${from} -> ${to}`));
    if (from.startsWith("coordinator/format/") && !to.startsWith("coordinator/format/"))
      faults.push(`FORMAT-5: ${from} imports ${to}; what is stored has schemas of its own`);
  }
  /** How each file that `apply` rests on was reached first. */
  const reached = new Map(imports.flatMap(({ from }) => (applied.test(from) ? [[from, from]] : [])));
  for (const [file, path] of reached) {
    if (policies.test(file)) faults.push(knowsPolicy(path));
    for (const { from, to } of imports)
      if (from === file && !reached.has(to)) reached.set(to, `${path} -> ${to}`);
  }
  return faults;
}

function knowsPolicy(path) {
  return `FORMAT-1: ${path}: what replays a journal may not know a policy; what one made is a fact in the event`;
}

function roomOf(file) {
  return file.slice(0, file.indexOf("/"));
}

function rankOf(file) {
  return [...rooms, "tests"].indexOf(roomOf(file));
}

/** Room by room, highest first: its folders, and which rooms it imports with how many imports. */
function draw(files, imports) {
  const lines = [];
  for (const room of [...rooms].reverse()) {
    const own = files.filter((file) => roomOf(file) === room);
    const folders = [...new Set(own.map((file) => dirname(file)))].map(
      (folder) => folder.slice(room.length + 1) || ".",
    );
    const counts = new Map();
    for (const { from, to } of imports) {
      if (roomOf(from) !== room || roomOf(to) === room) continue;
      counts.set(roomOf(to), (counts.get(roomOf(to)) ?? 0) + 1);
    }
    const below = rooms.filter((name) => counts.has(name)).map((name) => `${name} ${counts.get(name)}`);
    lines.push(`${room.padEnd(12)} ${String(own.length).padStart(4)} files  ${folders.sort().join(" ")}`);
    lines.push(`${"".padEnd(12)}   imports    ${below.join(", ") || "nothing"}`);
  }
  return lines.join("\n");
}

/** All of the project's source files. */
export function sourceFiles() {
  const others = new Set(["node_modules", "dist", ".cache", ".git", "examples", "docs", "schema"]);
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !others.has(entry.name))
    .flatMap((entry) => sourcesIn(entry.name));
}

if (process.argv[1] !== undefined && basename(process.argv[1]) === "structure.mjs")
  await runScript((parameters) => {
    const files = sourceFiles();
    const imports = readImports(files);
    if (parameters.includes("--draw")) process.stdout.write(`${draw(files, imports)}\n`);
    const faults = structureFaults(files, imports);
    for (const fault of faults) process.stdout.write(`${fault}\n`);
    process.stdout.write(
      `${files.length} files, ${imports.length} imports between them, ${faults.length} faults of structure\n`,
    );
    return faults.length === 0 ? 0 : 1;
  });
