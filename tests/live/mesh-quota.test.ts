/**
 * One greedy identity at full speed, while another agent and another requester work: their work is done, in bounded time, and
 * nothing of theirs is lost. What the greedy one says is of each kind there is, one after the other, each by another one.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { issueHere } from "../../mesh/admission.ts";
import { credentialFile } from "../../mesh/credential.ts";
import { openHome } from "../../mesh/home.ts";
import { inboxPrefixOf, subjectsOf, type OuterRole } from "../../protocol/subjects.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";

const floodS = 4;
/** What a question may take while somebody floods, ms; on a busy machine the flooder has a core to itself. */
const patienceMs = 10_000;
const greedy = fileURLToPath(new URL("../support/greedy-sender.js", import.meta.url));
const at = subjectsOf("mesh");

interface Flood {
  readonly what: string;
  readonly role: OuterRole;
  /** Bytes of each message, where no body is given. */
  readonly bytes?: number;
  readonly body?: string;
  /** A `#` counts up. */
  readonly subjects: (name: string) => readonly string[];
}

const floods: readonly Flood[] = [
  { what: "heartbeats", role: "agent", bytes: 100, subjects: (name) => [at.heartbeat(name)] },
  { what: "registrations", role: "agent", bytes: 1_000, subjects: (name) => [at.register(name)] },
  { what: "points", role: "agent", bytes: 900, subjects: (name) => [at.metric(name, "s#", "t#")] },
  {
    what: "large points",
    role: "agent",
    bytes: 200_000,
    subjects: (name) => [at.metric(name, "s1", "s1-1")],
  },
  { what: "log lines", role: "agent", bytes: 4_000, subjects: (name) => [at.log(name, "s1", "s1-#")] },
  { what: "reports", role: "agent", bytes: 500, subjects: (name) => [at.inbox(name)] },
  { what: "large reports", role: "agent", bytes: 900_000, subjects: (name) => [at.inbox(name)] },
  {
    what: "questions",
    role: "requester",
    body: "{}",
    subjects: (name) => ["mesh", "sweeps"].map((query) => at.query("requester", name, query)),
  },
  {
    what: "a viewer's questions",
    role: "viewer",
    body: "{}",
    subjects: (name) => [at.query("viewer", name, "mesh")],
  },
  {
    what: "questions for curves and insight",
    role: "requester",
    body: '{"trial":"s1-1","sweep":"s1"}',
    subjects: (name) => ["curve", "logs", "insight"].map((query) => at.query("requester", name, query)),
  },
  {
    what: "commands that do not parse",
    role: "requester",
    bytes: 300,
    subjects: (name) => [at.command("requester", name, "sweep-run")],
  },
  {
    what: "commands that are decided on",
    role: "requester",
    body: '{"key":"k","body":{"sweep":"s1","why":"x"}}',
    subjects: (name) => [at.command("requester", name, "sweep-stop")],
  },
  {
    what: "questions for proofs",
    role: "agent",
    body: `{"digest":"${"a".repeat(64)}"}`,
    subjects: () => [at.prove],
  },
];

describe("QUOTA-4: one greedy identity harms no other", { skip: skipWithoutNats, timeout: 300_000 }, () => {
  const mesh = new LiveMesh();
  before(() => mesh.up("--port", "0", "--slots", "1"));
  after(() => mesh.close());

  /** Floods for a while; what its process says at the end. */
  async function flood({ body, bytes = 0, role, subjects }: Flood, name: string): Promise<string> {
    const home = valueOf(openHome(mesh.homePath(LiveMesh.home)));
    valueOf(await issueHere(home, role, name, Math.floor(Date.now() / 1000)));
    const creds = credentialFile(home, role, name);
    const words = [mesh.url, creds, String(floodS), String(bytes), "3", inboxPrefixOf(role, name)];
    const child = spawn(process.execPath, [greedy, ...words, ...subjects(name)], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, ...(body === undefined ? {} : { GREEDY_BODY: body }) },
    });
    let said = "";
    child.stdout.on("data", (text: Buffer) => (said += text.toString()));
    await new Promise((resolve) => child.once("close", resolve));
    return said.trim();
  }

  for (const [number, kind] of floods.entries())
    test(`${kind.what} of one ${kind.role}`, { timeout: 60_000 }, async (context) => {
      const started = performance.now();
      let over = false;
      const flooded = flood(kind, `greedy-${number}`).finally(() => {
        over = true;
      });
      const work = { name: `work-${number}`, trials: 2, epochs: 3, milliseconds: 30, seed: number + 1 };
      const sweep = await mesh.submit(work);
      let worstMs = 0;
      while (!over) {
        const asked = performance.now();
        valueOf(await mesh.client.query("mesh", {}));
        worstMs = Math.max(worstMs, performance.now() - asked);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const { summary, trials } = await mesh.ended(sweep);
      const tookMs = performance.now() - started;
      context.diagnostic(
        `${await flooded}; worst answer ${worstMs.toFixed()} ms, sweep ${tookMs.toFixed()} ms`,
      );
      assert.equal(summary.state, "done");
      assert.deepEqual(
        trials.map(({ attempts }) => attempts.length),
        [1, 1],
        "no attempt was lost",
      );
      for (const { trial } of trials) {
        const { points } = valueOf(await mesh.client.query("curve", { trial }));
        assert.equal(points.length, 3, "its curve is whole");
      }
      assert.ok(worstMs < patienceMs, `${worstMs.toFixed()} ms for an answer`);
    });
});

describe("QUOTA-6: work that is honest is not taken for a flood", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  after(() => mesh.close());

  test(
    "an agent of many slots whose trials last no time is heard throughout",
    { timeout: 120_000 },
    async () => {
      const up = await mesh.up("--port", "0", "--slots", "200");
      const sweep = await mesh.submit({ name: "fast", trials: 6_000, epochs: 20, milliseconds: 0, seed: 1 });
      const { summary } = await mesh.ended(sweep);
      assert.deepEqual([summary.state, summary.counts.completed], ["done", 6_000]);
      assert.doesNotMatch(up.said, /quotas: agent/);
    },
  );
});
