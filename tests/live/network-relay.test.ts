/**
 * RELAY-1, RELAY-3 over networks: two agents in networks of their own, between which nothing is routed, have artifacts from each other through a third
 * that is in both, the one beside the mesh's server; and from the mesh's store where nobody passes on.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { CliProcess } from "../support/cli-mesh.ts";
import { listeningPorts, NetworkMesh, serverHome } from "../support/network-mesh.ts";
import { processesUnder } from "../support/process-tree.ts";
import { until } from "../support/until.ts";

const skip = NetworkMesh.missing();
if (skip !== false)
  console.error(`SKIPPED: whether agents in different networks reach each other is NOT tested: ${skip}`);

const megabytes = 12;
const [north, south] = ["north", "south"];
const middle = "middle";

describe("agents in different networks", { skip }, () => {
  let mesh: NetworkMesh;
  let up: CliProcess;
  let farNorth: CliProcess;
  let farSouth: CliProcess;

  before(async () => {
    mesh = new NetworkMesh([serverHome, north], [serverHome, south]);
    up = await mesh.up("0.0.0.0", "--name", middle, "--slots", "1");
    await up.saidLine(/agent middle of mesh \S+ has one until/);
    farNorth = await mesh.joined(north, 0);
    farSouth = await mesh.joined(south, 1);
    mesh.cli.write("train.sh", "echo score=1\n");
  });
  after(() => mesh.close());

  /** A sweep whose files that agent has to have; it ended well. */
  async function train(file: string, agent: string): Promise<void> {
    const sweep = mesh.cli.write(`${file}-${agent}.yaml`, sweepFile(file, agent));
    await mesh.run(serverHome, "sweep", "run", sweep);
  }

  const fromNorth = () =>
    farSouth.said.match(/^artifact [0-9a-f]{12}: \d+\.\d MiB from 1 agent: north$/gmu) ?? [];

  test("nothing goes from one to the other by itself", () => {
    for (const [one, bridge] of [
      [north, 0],
      [south, 1],
    ] as const)
      assert.match(mesh.network.address(one, bridge), new RegExp(`^10\\.231\\.${bridge}\\.`));
    assert.equal(mesh.reaches(north, mesh.network.address(south, 1)), false);
    assert.equal(mesh.reaches(north, mesh.network.address(serverHome, 0)), true);
  });

  test("RELAY-3: what one has the other gets through the one that is in both networks", async () => {
    mesh.cli.write("one.txt", text(1));
    await train("one", north);
    await train("one", south);
    assert.equal(fromNorth().length, 1, farSouth.said);
    assert.doesNotMatch(farNorth.said, /from 1 agent/);
  });

  test("RELAY-1: where the one between is killed in the middle of it, the mesh's store gives the rest", async () => {
    await up.end();
    assert.match(up.said, /^agent: passed 12\.\d MiB on between south and north$/mu);
    // Slow enough that there is a middle.
    up = await mesh.up("0.0.0.0", "--name", middle, "--slots", "1", "--upload", "2");
    await up.saidLine(/agent: agent middle lends/);
    mesh.cli.write("two.txt", text(2));
    await train("two", north);
    const before = processesUnder(up.pid);
    const trained = train("two", south);
    const parts = join(mesh.cli.folder, south, "artifacts", "parts");
    const started = until("a part of it", () => readdirSync(parts).length > 0 || null);
    await Promise.race([started, trained]);
    const pid = Number(/^agent: process (\d+)/mu.exec(up.said)?.[1] ?? assert.fail(up.said));
    assert.ok(before.includes(pid));
    process.kill(pid, "SIGKILL");
    await trained;
    assert.equal(fromNorth().length, 1, "it was cut off");
  });

  test("RELAY-1: an owner who wants nothing passed on is left out, and the mesh's store serves", async () => {
    await up.end();
    const before = fromNorth().length;
    up = await mesh.up("0.0.0.0", "--name", middle, "--slots", "1", "--relay", "no");
    await up.saidLine(/agent: agent middle lends/);
    mesh.cli.write("three.txt", text(3));
    await train("three", north);
    await train("three", south);
    assert.equal(fromNorth().length, before);
    assert.doesNotMatch(up.said, /passed/);
  });

  test("RELAY-3: one that takes no connections gives through the one between, and what it opens itself", async () => {
    await up.end();
    up = await mesh.up("0.0.0.0", "--name", middle, "--slots", "1", "--relay", "yes");
    await up.saidLine(/agent: agent middle lends/);
    await farSouth.end();
    farSouth = mesh.cli.start(south, "agent", "--peer-port", "none");
    await farSouth.saidLine(/lends 1 slots/);
    assert.deepEqual(listeningPorts(farSouth.pid), [], "no port is open there");
    mesh.cli.write("four.txt", text(4));
    await train("four", south);
    await train("four", north);
    assert.match(farNorth.said, /MiB from 1 agent: south$/mu);
    // The one between has it by the connection that the other keeps.
    const sweep = mesh.cli.write("four-middle.yaml", sweepFile("four", middle));
    await mesh.run(serverHome, "sweep", "run", sweep);
    assert.match(up.said, /^agent: artifact [0-9a-f]{12}: 12\.\d MiB from \d agents?: .*south/mu);
  });
});

function text(seed: number): string {
  const lines: string[] = [];
  const bytes = megabytes * 2 ** 20;
  for (let at = 0; at < bytes; at += 65)
    lines.push(createHash("sha256").update(`${seed} ${at}`).digest("hex"));
  return `${lines.join("\n").slice(0, bytes - 1)}\n`;
}

function sweepFile(file: string, agent: string): string {
  return `name: ${file}
command: [sh, train.sh]
files: [train.sh, ${file}.txt]
objective: { metric: score, goal: maximize }
parameters: { x: { distribution: uniform, min: 0, max: 1 } }
search: { trials: 1 }
needs: { agents: { only: [${agent}] } }
`;
}
