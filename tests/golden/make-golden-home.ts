/**
 * Makes the next golden home with the code as it is now: `node dist/tests/golden/make-golden-home.js`. Run by hand, once for
 * each released format (README.md). Refuses to write one that lacks a kind of event or tells of this machine.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { projectFolder } from "../../training/version/code-version.ts";
import { connectAs } from "../../mesh/connect.ts";
import { eventSchema } from "../../coordinator/format/event.ts";
import { projectionVersion } from "../../coordinator/core/projection.ts";
import { Journal, startPosition, type JournalEntry } from "../../coordinator/journal/journal.ts";
import { mintCredential } from "../../mesh/credential.ts";
import { openHome } from "../../mesh/home.ts";
import { coordinatorKeys } from "../../mesh/mesh-trust.ts";
import { ensureIdentity } from "../../mesh/identity.ts";
import { startServer } from "../../mesh/server-process.ts";
import { showVersion, versionOf } from "../../mesh/server-version.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { auditJournal, type JournalAudit } from "../support/journal-audit.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { findNatsServer } from "../support/nats-server.ts";
import type { Facts } from "./fact.ts";
import { goldenFolder, goldenHomes, stateDigest, type GoldenRecord } from "./golden-home.ts";
import { History } from "./history.ts";
import { factsOfMesh } from "./mesh-fact.ts";
import { factsOfState } from "./state-fact.ts";

/** Of a packed home, which stays in the repository for ever. */
const packedMaxBytes = 500_000;
/** Written anew at every start, and of this machine. */
const leftOut = [
  "run",
  "server/accounts",
  "server/nats-server.conf",
  "server/nats-server.log",
  "server/nats-server.pid",
];
/** What LMDB shares between the processes that have a store open. */
const lockEnding = ".lmdb-lock";

async function make(number: number): Promise<void> {
  const mesh = new LiveMesh();
  try {
    const up = await mesh.up("--port", "0", "--slots", "2");
    const history = new History(mesh);
    await history.live(say);
    const facts = await factsOfMesh(mesh.client);
    await history.end();
    assert.equal(await up.end(), 0, "it ends cleanly");

    const path = mesh.homePath(LiveMesh.home);
    const { audit, entries, server } = await readJournal(path);
    const kinds = new Set(entries.flatMap(({ batch }) => batch.events.map(({ kind }) => kind)));
    checkHistory(audit, facts, kinds);
    for (const name of leftOut) rmSync(join(path, name), { recursive: true, force: true, maxRetries: 5 });
    for (const file of filesIn(path)) if (file.endsWith(lockEnding)) rmSync(file);
    checkPrivacy(path, mesh.cli.folder);
    const record: GoldenRecord = {
      mesh: mesh.client.mesh,
      server,
      journal: { messages: entries.length, lastHash: entries.at(-1)?.position.hash ?? "" },
      state: { projectionVersion, sha256: stateDigest(audit.state, projectionVersion) },
      facts,
    };
    write(number, path, record, entries);
  } finally {
    await mesh.close();
  }
}

/** Reads the journal of a home that nobody uses, and what it adds up to. */
async function readJournal(path: string) {
  const home = valueOf(openHome(path));
  const binary = findNatsServer() ?? assert.fail("no nats-server; name one with TRIALMESH_NATS_SERVER");
  const server = valueOf(await startServer({ home, binary, port: 0 }));
  try {
    const credential = await mintCredential(
      valueOf(ensureIdentity(home)),
      home.mesh,
      "coordinator",
      "reader",
    );
    const bus = valueOf(await connectAs({ ...home, url: server.url }, credential));
    const journal = new Journal(bus, home.mesh, systemClock, valueOf(coordinatorKeys(home.mesh, credential)));
    const entries: JournalEntry[] = [];
    for (;;) {
      const more = await journal.readAfter(entries.at(-1)?.position ?? startPosition);
      if (more.length === 0) break;
      entries.push(...more);
    }
    const audit = await auditJournal(journal);
    await bus.close();
    return { audit, entries, server: showVersion((await versionOf(binary)) ?? assert.fail(binary)) };
  } finally {
    await server.stop();
  }
}

function checkHistory({ state, violations }: JournalAudit, facts: Facts, kinds: ReadonlySet<string>): void {
  assert.deepEqual(violations, []);
  assert.deepEqual(factsOfState(state), facts, "views and journal tell the same");
  const missing = eventSchema.options.map(({ shape }) => shape.kind.value).filter((kind) => !kinds.has(kind));
  assert.deepEqual(missing, [], "every kind of event has happened");
}

/** Nothing in the home may say where and by whom it was made. */
function checkPrivacy(path: string, folder: string): void {
  const words = [folder, projectFolder, `${homedir()}/`, `"${hostname()}"`, `/${hostname()}/`];
  for (const file of filesIn(path)) {
    const content = readFileSync(file);
    for (const word of words) {
      const at = content.indexOf(word);
      const around = content.subarray(Math.max(0, at - 200), at + 200).toString("latin1");
      assert.equal(at, -1, `${file} holds ${word}: ${around}`);
    }
  }
}

function filesIn(path: string): readonly string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function write(number: number, path: string, record: GoldenRecord, entries: readonly JournalEntry[]): void {
  const to = (name: string) => join(goldenFolder, name);
  const plain = ["--owner=0", "--group=0", "--numeric-owner", "--sort=name"];
  const tar = execFileSync("tar", [...plain, "-cf", "-", "-C", path, "."], { maxBuffer: 2 ** 30 });
  const journal = Buffer.concat(entries.flatMap(({ bytes }) => [bytes, Buffer.from("\n")]));
  const files: readonly [string, Buffer][] = [
    [`home-${number}.tar.gz`, gzipSync(tar, { level: 9 })],
    [`journal-${number}.jsonl.gz`, gzipSync(journal, { level: 9 })],
    [`home-${number}.json`, Buffer.from(recordText(record))],
  ];
  for (const [name, bytes] of files) say(`${name}: ${bytes.length} bytes`);
  const packed = files[0]?.[1].length ?? 0;
  assert.ok(packed <= packedMaxBytes, `a home of ${packed} bytes is more than ${packedMaxBytes}`);
  for (const [name, bytes] of files) writeFileSync(to(name), bytes);
}

/** A line for each fact, so that people find one. */
function recordText({ facts, ...about }: GoldenRecord): string {
  const lists = Object.entries(facts).map(
    ([name, list]) => `"${name}":[\n${list.map((fact) => JSON.stringify(fact)).join(",\n")}\n]`,
  );
  return `${JSON.stringify(about).slice(0, -1)},\n"facts":{\n${lists.join(",\n")}\n}}\n`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await make((goldenHomes().at(-1)?.number ?? 0) + 1);
