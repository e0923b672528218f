/**
 * PERSON-1, PERSON-2: a person elsewhere has artifacts from an agent, shown as that; from the mesh's store where it may not ask for agents, or there is
 * none; is cut off when it is revoked; and gets nothing that the agent's owner put onto the agent's machine alone.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { CliProcess } from "../support/cli-mesh.ts";
import { NetworkMesh, serverHome } from "../support/network-mesh.ts";
import { until, within } from "../support/until.ts";

const skip = NetworkMesh.missing();
if (skip !== false)
  console.error(`SKIPPED: whether a person has artifacts from agents over a network is NOT tested: ${skip}`);

const cutMs = 2_000;
const chunk = 2 ** 20;
const [tower, ada, vera, bob] = ["tower", "ada", "vera", "bob"];

describe("a person's artifacts over a network", { skip }, () => {
  let mesh: NetworkMesh;
  let agent: CliProcess;
  const at = (name: string) => join(mesh.cli.folder, name);

  before(async () => {
    mesh = new NetworkMesh([serverHome, tower, ada, vera, bob]);
    await mesh.up(mesh.network.address(serverHome), "--no-agent");
    agent = await mesh.joined(tower, 0, "--upload", "3");
    for (const [name, role] of [
      [ada, "requester"],
      [vera, "viewer"],
      [bob, "requester"],
    ] as const)
      await mesh.run(name, "join", await mesh.invite(role, name));
    mesh.cli.write("train.sh", "echo score=1\n");
  });
  after(() => mesh.close());

  /** The bundle of a program whose files the agent has to have; its digest. */
  async function bundled(file: string, megabytes: number): Promise<string> {
    mesh.cli.write(`${file}.txt`, text(file, megabytes));
    const sweep = mesh.cli.write(`${file}.yaml`, sweepFile(file));
    const before = await digestsAt(tower);
    await mesh.run(serverHome, "sweep", "run", sweep);
    const added = (await digestsAt(tower)).filter((digest) => !before.includes(digest));
    return added[0] ?? assert.fail(agent.said);
  }

  /** Of the larger artifacts of a home. */
  async function digestsAt(home: string): Promise<readonly string[]> {
    const { out } = await mesh.run(home, "artifact", "ls", "--json");
    const { artifacts } = JSON.parse(out) as {
      artifacts: { digest: string; here: boolean; bytes: number }[];
    };
    return artifacts.filter(({ bytes, here }) => here && bytes > chunk).map(({ digest }) => digest);
  }

  test("PERSON-1: a requester has it from the agent, a viewer from the mesh's store, and it is the same", async () => {
    const digest = await bundled("one", 3);
    const got = await mesh.run(ada, "artifact", "get", digest, "--out", at("of-ada"));
    assert.match(got.err, /^artifact [0-9a-f]{12}: 3\.\d MiB from 1 agent: tower$/mu);
    const seen = await mesh.run(vera, "artifact", "get", digest, "--out", at("of-vera"));
    assert.doesNotMatch(seen.err, /agent/);
    const again = await mesh.run(ada, "artifact", "get", digest);
    assert.doesNotMatch(again.err, /agent/, "it is here now");
    const of = (home: string) => readFileSync(at(`${home}/artifacts/files/${digest.slice(0, 2)}/${digest}`));
    assert.ok(of(ada).equals(of(vera)));
  });

  test("PERSON-1: what is damaged is healed from the agent, and only the chunk that is", async () => {
    const [digest = ""] = await digestsAt(ada);
    const file = openSync(at(`${ada}/artifacts/files/${digest.slice(0, 2)}/${digest}`), "r+");
    writeSync(file, "damage", chunk + 5);
    closeSync(file);
    const { err, out } = await mesh.run(ada, "artifact", "verify", "--heal");
    assert.match(out, /was damaged, in 1 chunk and is whole again/);
    assert.match(err, /^artifact [0-9a-f]{12}: 3\.\d MiB from 1 agent: tower$/mu);
  });

  test("PERSON-1: a version of a dataset comes from the agent that has it", async () => {
    mesh.cli.write("set.csv", csv());
    const file = mesh.cli.write("set.yaml", datasetFile);
    await mesh.run(serverHome, "dataset", "add", file);
    // What this user's commands have built lies in one folder for all homes.
    mesh.cli.ofHome.set(ada, { TRIALMESH_CACHE: at("cache-of-ada") });
    const { err, out } = await mesh.run(ada, "dataset", "profile", "words@1", "--no-label-errors");
    assert.match(err, /^artifact [0-9a-f]{12}: \d+.* from 1 agent: tower$/mu);
    assert.match(out, /^words: \d+ rows/u);
  });

  test("PERSON-1: killed in the middle and asked again, it goes on and is right", async () => {
    const digest = await bundled("killed", 16);
    const part = at(`${ada}/artifacts/parts/${digest}`);
    const get = ["artifact", "get", digest, "--out", at("killed")] as const;
    for (let kill = 0; kill < 2; kill++) {
      const got = mesh.cli.start(ada, ...get);
      await until("a part of it", () => existsSync(part) || null);
      // 3 MiB a second: some chunks more than before.
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      await got.end("SIGKILL");
      assert.ok(!existsSync(at("killed")));
    }
    const begun = performance.now();
    await mesh.run(ada, ...get);
    const whole = (16 / 3) * 1_000;
    const ms = performance.now() - begun;
    const of = (home: string) => readFileSync(at(`${home}/artifacts/files/${digest.slice(0, 2)}/${digest}`));
    assert.ok(of(ada).equals(of(tower)));
    assert.ok(ms < whole + 10_000, `${Math.round(ms)} ms`);
  });

  test("PERSON-2: what was put onto the agent's machine alone is given to nobody", async () => {
    mesh.cli.write("alone.txt", text("alone", 2));
    const put = await mesh.run(tower, "artifact", "put", at("alone.txt"), "--json");
    const { digest } = JSON.parse(put.out) as { digest: string };
    // Told to a new leader, all that is here is.
    await mesh.run(tower, "artifact", "ls");
    const asked = await mesh.cli.runProcess(ada, "artifact", "get", digest);
    assert.equal(asked.code, 1);
    assert.match(asked.err, /is not in the mesh's store/);
  });

  test("PERSON-1: without the agent it comes from the mesh's store", async () => {
    const digest = await bundled("two", 3);
    await agent.end();
    const got = await mesh.run(ada, "artifact", "get", digest, "--out", at("two"));
    assert.doesNotMatch(got.err, /from 1 agent/);
    agent = mesh.cli.start(tower, "agent");
    await agent.saidLine(/lends 1 slots/);
  });

  test("PEER-4: a person who is revoked in the middle of it is cut off within 2 s, and has nothing of it", async () => {
    const digest = await bundled("three", 24);
    const got = mesh.cli.start(bob, "artifact", "get", digest, "--out", at("three"));
    const parts = at(`${bob}/artifacts/parts/${digest}`);
    await until("a part of it", () => existsSync(parts) || null);
    await mesh.run(serverHome, "revoke", bob);
    const code = await within(cutMs, "its end", got.ended);
    assert.equal(code, 1, got.said);
    assert.doesNotMatch(got.said, /^\s+at /mu);
    assert.ok(!existsSync(at("three")));
    await within(cutMs, "the cut", agent.saidLine(/"requester:bob" was closed: "requester:bob" is revoked/));
  });
});

function text(seed: string, megabytes: number): string {
  const lines: string[] = [];
  const bytes = megabytes * chunk;
  for (let at = 0; at < bytes; at += 65)
    lines.push(createHash("sha256").update(`${seed} ${at}`).digest("hex"));
  return `${lines.join("\n").slice(0, bytes - 1)}\n`;
}

function csv(): string {
  const rows = text("rows", 2).split("\n");
  return `class,words\n${rows.map((row, at) => `${at % 2 === 0 ? "even" : "odd"},${row.replace(/.{8}/g, "$& ")}`).join("\n")}\n`;
}

const datasetFile = `name: words
sources: [{ path: set.csv }]
plan: [{ split: { train: 0.8, validation: 0.1, test: 0.1 } }]
text: words
label: class
`;

function sweepFile(file: string): string {
  return `name: ${file}
command: [sh, train.sh]
files: [train.sh, ${file}.txt]
objective: { metric: score, goal: maximize }
parameters: { x: { distribution: uniform, min: 0, max: 1 } }
search: { trials: 1 }
needs: { agents: { only: [${tower}] } }
`;
}
