/**
 * Brings in what is missing, one function a step, each skipped when its work is already there:
 * npm packages, a Node that runs the project, the compiled code, a nats-server.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { sourceFolders } from "./source-folder.mjs";
import { capture, root, say, StepFailed, tail } from "./step.mjs";

/** Ink 8 and others need it; older hosts run the project's own pinned Node. */
const oldestNode = [22, 12];
const installTimeoutMs = 240_000;
const compileTimeoutMs = 180_000;
const serverTimeoutMs = 420_000;

/** ADD-1: where npm or `trialmesh add` has installed it, the sources did not come along: all is there but perhaps a Node. */
const isInstalled = !existsSync(join(root, "tsconfig.json"));

/** Everything up to compiled code; gives the Node to run it with. */
export async function prepareCode() {
  if (isInstalled) return prepareNode();
  await preparePackages();
  const node = await prepareNode();
  await prepareBuild(node);
  return node;
}

/**
 * Installs what the lock file names, unless it is there. `npm install --no-save` keeps to the lock's
 * versions and digests as `npm ci` does, but takes a lock that was written where the registry lacks
 * other platforms' optional packages, which `npm ci` calls incomplete and refuses.
 */
export async function preparePackages() {
  if (packagesMatch()) return;
  say("npm packages: installing");
  // Under `npm run` the very npm that runs us is named; elsewhere the one on PATH.
  const npm = process.env.npm_execpath;
  const [program, ...first] = npm?.endsWith(".js") ? [process.execPath, npm] : ["npm"];
  const parameters = [...first, "install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  const installed = await capture(program, parameters, { timeoutMs: installTimeoutMs });
  if (installed.code === 0 && packagesMatch()) return;
  throw new StepFailed(
    `npm packages could not be installed: \`npm install\` in ${root} ${installed.code === null ? "did not run to its end" : `ended with code ${installed.code}`}.\n` +
      `${tail(installed.output)}\nCheck the network and npm's registry setting, run \`npm install\` there by hand, then run this again.`,
  );
}

/** True when every package of the lock file is in place in its version; other platforms' may be absent. */
export function packagesMatch() {
  let wanted;
  let found;
  try {
    wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
    found = JSON.parse(readFileSync(join(root, "node_modules", ".package-lock.json"), "utf8")).packages;
  } catch {
    return false; // Never installed, or an install that was cut short.
  }
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    const there = found[path];
    if (there === undefined) return entry.optional === true;
    return there.version === entry.version && existsSync(join(root, path));
  });
}

/** A Node that is new enough: the pinned one, the host's, or the pinned one fetched another way. */
export async function prepareNode() {
  const pinned = pinnedNode();
  if (await isNewEnough(pinned)) return pinned;
  const tried = [
    `${relative(root, pinned)}: not there or does not run (its install script may have been blocked)`,
  ];
  for (const host of [process.execPath, "node"]) {
    if (await isNewEnough(host)) return host;
  }
  tried.push(`the host's Node: ${process.version}, older than ${oldestNode.join(".")}`);

  const version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).dependencies.node;
  say(`Node ${version}: running its package's install script`);
  const rebuilt = await capture("npm", ["rebuild", "node", "--ignore-scripts=false", "--loglevel=error"], {
    timeoutMs: installTimeoutMs,
  });
  if (await isNewEnough(pinned)) return pinned;
  tried.push(`\`npm rebuild node\`: ${complaint(rebuilt.output)}`);

  // The program itself is an ordinary package per platform and needs no script.
  const folder = join(cacheFolder(), `node-${version}`);
  const name = `${process.platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node"}-${process.platform}-${process.arch}`;
  const fetched = join(folder, "node_modules", name, "bin", "node");
  if (await isNewEnough(fetched)) return fetched;
  say(`Node ${version}: fetching ${name}`);
  const install = [
    "install",
    "--no-save",
    "--no-package-lock",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    "--prefix",
    folder,
    `${name}@${version}`,
  ];
  const installed = await capture("npm", install, { timeoutMs: installTimeoutMs });
  if (await isNewEnough(fetched)) return fetched;
  tried.push(`npm package ${name}: ${complaint(installed.output)}`);
  throw new StepFailed(
    `no Node ${oldestNode.join(".")} or newer: ${tried.join("; ")}.\nInstall Node 24 from https://nodejs.org and run this again.`,
  );
}

/** Of the package `node`, which npm puts below us, or beside us where we are a package of another folder. */
function pinnedNode() {
  const below = join(root, "node_modules", ".bin", "node");
  const beside = join(root, "..", ".bin", "node");
  return isInstalled && !existsSync(below) && existsSync(beside) ? beside : below;
}

/** What is installed may belong to another user, and is not written to. As `system/cache-folder.ts` has it. */
function cacheFolder() {
  if (!isInstalled) return join(root, ".cache");
  const named = process.env.TRIALMESH_CACHE;
  return named === undefined || named === "" ? join(homedir(), ".cache", "trialmesh") : named;
}

async function isNewEnough(node) {
  const asked = await capture(node, ["--version"], { timeoutMs: 10_000 });
  const found = /^v(\d+)\.(\d+)/.exec(asked.stdout);
  if (asked.code !== 0 || found === null) return false;
  const [major, minor] = [Number(found[1]), Number(found[2])];
  return major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
}

/** What npm says went wrong: its error code, else its first line. */
function complaint(output) {
  return /npm error code (\S+)/.exec(output)?.[1] ?? (output.trim().split("\n")[0] || "said nothing");
}

/** Compiles when a source is newer than the last build, came or went. */
export async function prepareBuild(node) {
  const sources = listSources();
  if (buildIsFresh(sources)) return;
  say("TypeScript: compiling");
  const startedMs = Date.now();
  // The compiler trusts its own notes of what it wrote: without an output they would be wrong.
  if (!sources.every((path) => existsSync(outputOf(path))))
    rmSync(join(root, "dist", ".tsbuildinfo"), { force: true });
  const compiled = await capture(
    node,
    [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.json"],
    { timeoutMs: compileTimeoutMs },
  );
  if (compiled.code !== 0) {
    throw new StepFailed(`the TypeScript sources do not compile:\n${tail(compiled.output, 40)}`);
  }
  sweepStale(sources);
  writeFileSync(stampPath(), JSON.stringify({ sources }));
  // Dated when the compiler began: what was edited while it ran is newer.
  utimesSync(stampPath(), startedMs / 1000, startedMs / 1000);
}

function stampPath() {
  return join(root, "dist", ".sources.json");
}

function listSources() {
  const found = [];
  const walk = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else if (/\.tsx?$/.test(entry.name)) found.push(path);
    }
  };
  for (const folder of sourceFolders) if (existsSync(join(root, folder))) walk(folder);
  return found.sort();
}

/** Changes whenever a source is edited, added or taken away. */
export function sourceStamp() {
  return listSources()
    .map((path) => `${path} ${statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0}`)
    .join("\n");
}

function buildIsFresh(sources) {
  let built;
  try {
    built = statSync(stampPath()).mtimeMs;
    const before = JSON.parse(readFileSync(stampPath(), "utf8")).sources;
    if (before.join("\n") !== sources.join("\n")) return false;
  } catch {
    return false;
  }
  const inputs = [...sources, "tsconfig.json", "package-lock.json"];
  return (
    inputs.every((path) => statSync(join(root, path)).mtimeMs < built) &&
    sources.every((path) => existsSync(outputOf(path)))
  );
}

/** Where the compiled form of a source lies. */
export function outputOf(source) {
  return join(root, "dist", source.replace(/\.tsx?$/, ".js"));
}

/** A compiled file whose source is gone would still be run as a test or imported: take it away. */
function sweepStale(sources) {
  const wanted = new Set(sources.map(outputOf));
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (entry.name.endsWith(".js") && !wanted.has(path)) rmSync(path);
    }
  };
  walk(join(root, "dist"));
}

/** The path of a nats-server that runs here. The search itself is `mesh/server-binary.ts`. */
export async function prepareServer(node) {
  const found = await capture(node, [join(root, "scripts", "nats-server.mjs")], {
    timeoutMs: serverTimeoutMs,
    stderr: "inherit",
  });
  if (found.code !== 0)
    throw new StepFailed(
      `the search for a nats-server did not run to its end${found.output === "" ? "" : `: ${found.output}`}`,
    );
  const outcome = JSON.parse(found.stdout);
  if (!outcome.ok) throw new StepFailed(outcome.refusal.message);
  if (outcome.value.warning !== null) say(outcome.value.warning);
  return outcome.value.path;
}
