/**
 * A mesh that the version before could not start any more: a report waits for its coordinator, and is delivered to it at each
 * start, that makes events larger than a message. This version starts it and loses nothing. Other ways to the same end are in
 * `tests/contract/coordinator-size.test.ts`: a journal with values nested thousands deep, a paused set of thousands.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connectBus } from "../../protocol/bus/nats-bus.ts";
import { toBytes } from "../../protocol/json-bytes.ts";
import { inboxPrefixOf, streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import { joiningWords, LiveMesh } from "../support/live-mesh.ts";
import type { CliProcess } from "../support/cli-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { previousVersion } from "../support/previous-version.ts";

const previous = skipWithoutNats === false ? previousVersion() : null;
const skip = skipWithoutNats === false ? previous?.kind === "missing" && previous.why : skipWithoutNats;
const main = previous?.kind === "built" ? previous.main : "";
const timeout = 110_000;
const meshName = "mesh";
/** Three times in its events it is more than a message may have. */
const reasonCharacters = 600_000;

const sweepText = (name: string, trials: number, epochs: number, seed: number) => `name: ${name}
task: noop
search: {method: random, trials: ${trials}, seed: ${seed}}
stopping: {policy: none, max: ${epochs}}
models:
  noop: {x: {distribution: uniform, min: 0, max: 1}, milliseconds: 50}
`;

describe("a mesh that the version before cannot start any more", { skip, timeout }, () => {
  const mesh = new LiveMesh();
  let up: CliProcess | null = null;

  before(async () => {
    up = await mesh.upOf(main, "--port", "0", "--no-agent");
    const words = joiningWords(await mesh.okOf(main, LiveMesh.home, "invite", "agent", "old"));
    const agent = mesh.startOf(main, "old", ...words, "--slots", "2");
    const file = mesh.cli.write("earlier.yaml", sweepText("earlier", 3, 1, 1));
    await mesh.okOf(main, LiveMesh.home, "sweep", "run", file);
    const long = mesh.cli.write("long.yaml", sweepText("long", 4, 60, 2));
    await mesh.okOf(main, LiveMesh.home, "sweep", "run", long, "--detach");
    await agent.saidLine(/s2-1: noop/);
    await agent.end("SIGKILL");
    await poison(up);
  });
  after(() => mesh.close());

  /** As that agent: its first trial of the second sweep is refused, for a reason that nobody reads to its end. */
  async function poison(running: CliProcess): Promise<void> {
    const creds = readFileSync(join(mesh.homePath("old"), "creds", "agent.old.creds"), "utf8");
    const url = /nats:\/\/[\d.:]+/.exec(running.said)?.[0] ?? assert.fail(running.said);
    const bus = await connectBus({
      servers: url,
      creds,
      name: "old",
      inboxPrefix: inboxPrefixOf("agent", "old"),
    });
    const report = { kind: "refused", fence: 4, reason: "no ".repeat(reasonCharacters / 3) };
    const batch = { incarnation: "any", reports: [{ id: "old.any.1", report }] };
    await bus.append(streamsOf(meshName).inbox, subjectsOf(meshName).inbox("old"), toBytes(batch));
    await bus.close();
  }

  test("SIZE-8: the version before ends at the report, and again after the next start", async () => {
    const { ended, said } = up ?? assert.fail("nothing is up");
    assert.equal(await ended, 1, said);
    const again = mesh.startOf(main, LiveMesh.home, "up", "--name", LiveMesh.home, "--no-agent");
    assert.equal(await again.ended, 1, again.said);
    assert.match(again.said, /max_payload/);
  });

  test("SIZE-8: this version starts it, keeps what there was, and cuts the report's words; its sweeps go on", async () => {
    // The agent that goes on with it is of the version before, which knows of no TLS.
    await mesh.up("--no-agent", "--tls", "off");
    const earlier = await mesh.sweep("s1");
    assert.deepEqual([earlier.summary.state, earlier.summary.counts.completed], ["done", 3]);
    const refused = await mesh.trialThat("s2", "the refused attempt", ({ attempts }) =>
      attempts.some(({ ending }) => ending?.startsWith("refused") === true),
    );
    assert.ok(JSON.stringify(refused).length < 10_000);
    const agent = mesh.startOf(main, "old", "agent", "--slots", "2");
    assert.equal((await mesh.ended("s2")).summary.counts.completed, 4, agent.said);
    const { violations } = await mesh.audit();
    assert.deepEqual(violations, []);
  });
});
