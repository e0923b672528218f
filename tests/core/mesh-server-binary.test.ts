/** Which nats-server is used, in which order the ways are tried, and what is said when none works. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { findServer, type BringWay, type Environment } from "../../mesh/server-binary.ts";
import { mirrorIn } from "../../mesh/server-debian.ts";
import { digestIn, releasePlatform } from "../../mesh/server-release.ts";
import { atLeast, parseServerVersion, unsoundness, type ServerVersion } from "../../mesh/server-version.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";

let folder = "";
let environment: Environment = {};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trialmesh-server-"));
  environment = { PATH: join(folder, "bin"), TRIALMESH_CACHE: join(folder, "cache") };
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** A program that only says its version, as nats-server does. */
function fakeServer(path: string, version: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho "nats-server: v${version}"\n`);
  chmodSync(path, 0o755);
  return path;
}
const onPath = (version: string) => fakeServer(join(folder, "bin", "nats-server"), version);
const inCache = (version: string) =>
  fakeServer(join(folder, "cache", `nats-server-${version}`, "nats-server"), version);

const silent = (): void => undefined;
const failing = (name: string): BringWay => ({
  name,
  bring: async () => refuse("unavailable", `${name} is unreachable`),
});
const bringing = (name: string, version: string): BringWay => ({
  name,
  bring: async (target) => {
    fakeServer(target, version);
    return accept(null);
  },
});

function valueOf<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) assert.fail(outcome.refusal.message);
  return outcome.value;
}
function messageOf(outcome: Outcome<unknown>): string {
  if (outcome.ok) assert.fail("expected a refusal");
  return outcome.refusal.message;
}

test("BIN-1: the order is the named one, PATH and cache by fitness, then what is brought in", async () => {
  const cases: readonly (readonly [string, string | null, string | null, string])[] = [
    ["PATH", "2.12.12", "2.15.1", "PATH"],
    ["cache before a PATH with known faults", "2.12.11", "2.15.1", "cache"],
    ["a cache with known faults is none", "2.11.20", "2.14.2", "second"],
    ["cache alone", null, "2.14.3", "cache"],
    ["PATH too old", "2.9.10", null, "second"],
    ["nothing there", null, null, "second"],
  ];
  for (const [what, path, cache, expected] of cases) {
    rmSync(join(folder, "bin"), { recursive: true, force: true, maxRetries: 5 });
    rmSync(join(folder, "cache"), { recursive: true, force: true, maxRetries: 5 });
    if (path !== null) onPath(path);
    if (cache !== null) inCache(cache);
    const found = valueOf(
      await findServer(environment, silent, [failing("first"), bringing("second", "2.15.1")]),
    );
    assert.equal(found.way, expected, what);
    assert.equal(found.warning, null, what);
  }
});

test("BIN-2: what was brought in is kept and found in the cache the next time; drafts are gone", async () => {
  const lines: string[] = [];
  const found = valueOf(
    await findServer(environment, (line) => lines.push(line), [bringing("shop", "2.15.1")]),
  );
  assert.equal(found.path, join(folder, "cache", "nats-server-2.15.1", "nats-server"));
  assert.equal(lines.length, 1);
  assert.deepEqual(readdirSync(join(folder, "cache")), ["nats-server-2.15.1"]);
  const again = valueOf(await findServer(environment, (line) => lines.push(line), [failing("shop")]));
  assert.deepEqual([again.way, again.path, lines.length], ["cache", found.path, 1]);
});

test("BIN-3: the refusal names every way tried with its reason, and what to install by hand", async () => {
  onPath("2.9.10");
  const broken: BringWay = {
    name: "broken",
    bring: async (target) => {
      writeFileSync(target, "not a program");
      return accept(null);
    },
  };
  const ways = [failing("first"), bringing("old shop", "2.9.9"), broken];
  const message = messageOf(await findServer(environment, silent, ways));
  assert.match(message, /PATH: .*bin\/nats-server, nats-server 2\.9\.10 has security faults/);
  assert.match(
    message,
    /first: first is unreachable; old shop: it gave a version that is not to be used: nats-server 2\.9\.9 .*; broken: its program does not run/,
  );
  assert.match(message, /Install nats-server 2\.14\.3 or newer .*TRIALMESH_NATS_SERVER/);
  assert.deepEqual(existsSync(join(folder, "cache")) ? readdirSync(join(folder, "cache")) : [], []);
});

test("BIN-4: a server with known faults is used only when allowed, with a warning, named or not", async () => {
  const old = onPath("2.9.10");
  const allowed = valueOf(await findServer({ ...environment, TRIALMESH_ALLOW_OLD_SERVER: "1" }, silent, []));
  assert.match(allowed.warning ?? "", /WARNING: nats-server 2\.9\.10/);
  assert.match(
    messageOf(await findServer({ TRIALMESH_NATS_SERVER: old }, silent, [])),
    /names .*, and nats-server 2\.9\.10 has security faults that are published and mended in 2\.12\.12, or 2\.14\.3/,
  );
  const named = valueOf(
    await findServer({ TRIALMESH_NATS_SERVER: old, TRIALMESH_ALLOW_OLD_SERVER: "1" }, silent, []),
  );
  assert.equal(named.way, "TRIALMESH_NATS_SERVER");
  assert.match(named.warning ?? "", /WARNING/);
  assert.match(
    messageOf(await findServer({ TRIALMESH_NATS_SERVER: join(folder, "none") }, silent, [])),
    /which is not a nats-server that runs/,
  );
});

test("BIN-5: a cache that cannot be written is a reason, not a crash", async () => {
  writeFileSync(join(folder, "cache"), "a file where a folder should be");
  assert.match(
    messageOf(await findServer(environment, silent, [bringing("shop", "2.15.1")])),
    /shop: .*cache cannot be written \(\w+\)/,
  );
});

test("BIN-9: of each line of servers only those without published faults are used", () => {
  const sound: readonly ServerVersion[] = [
    [2, 12, 12],
    [2, 12, 40],
    [2, 14, 3],
    [2, 15, 0],
    [3, 0, 0],
  ];
  const unsound: readonly ServerVersion[] = [
    [2, 9, 10],
    [2, 11, 30],
    [2, 12, 11],
    [2, 13, 9],
    [2, 14, 0],
    [2, 14, 2],
  ];
  for (const version of sound) assert.equal(unsoundness(version), null, version.join("."));
  for (const version of unsound)
    assert.match(unsoundness(version) ?? "", /security faults/, version.join("."));
});

test("BIN-6: versions are read and compared by number, not by text", () => {
  const cases: readonly (readonly [string, ServerVersion | null])[] = [
    ["nats-server: v2.15.1", [2, 15, 1]],
    ["nats-server: v2.9.10-deb", [2, 9, 10]],
    ["bash: not found", null],
  ];
  for (const [text, expected] of cases) assert.deepEqual(parseServerVersion(text), expected);
  assert.equal(atLeast([2, 9, 10], [2, 10, 0]), false);
  assert.equal(atLeast([2, 10, 0], [2, 10, 0]), true);
  assert.equal(atLeast([3, 0, 0], [2, 10, 5]), true);
  assert.equal(atLeast([2, 10, 4], [2, 10, 5]), false);
});

test("BIN-7: the mirror this machine is set to is used, in either format of apt's sources", () => {
  const cases: readonly (readonly [string, string | null])[] = [
    [
      "Types: deb\nURIs: http://mirror.example.org/debian/\nSuites: bookworm\n",
      "http://mirror.example.org/debian",
    ],
    [
      "Types: deb\nURIs: http://deb.debian.org/debian-security\n\nTypes: deb\nURIs: https://a.example/debian\n",
      "https://a.example/debian",
    ],
    [
      "# deb http://old.example/debian sid main\ndeb [arch=amd64 signed-by=/k.gpg] http://b.example/debian bookworm main\n",
      "http://b.example/debian",
    ],
    ["deb https://packages.example.com/apt stable main\n", null],
    ["", null],
  ];
  for (const [text, expected] of cases) assert.equal(mirrorIn([text]), expected, text);
});

test("BIN-8: a release file's digest is taken from its own line only", () => {
  const digest = "a".repeat(64);
  const sums = `${"b".repeat(64)}  nats-server-v2.15.1-linux-arm64.tar.gz\n${digest}  nats-server-v2.15.1-linux-amd64.tar.gz\nshort  x\n`;
  assert.equal(digestIn(sums, "nats-server-v2.15.1-linux-amd64.tar.gz"), digest);
  assert.equal(digestIn(sums, "linux-amd64.tar.gz"), null);
  assert.equal(digestIn(sums, "x"), null);
  assert.equal(releasePlatform("linux", "x64"), "linux-amd64");
  assert.equal(releasePlatform("darwin", "arm64"), "darwin-arm64");
  assert.equal(releasePlatform("win32", "x64"), null);
});
