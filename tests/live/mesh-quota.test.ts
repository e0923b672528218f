/**
 * One greedy identity at full speed, while another agent and another requester work: their work is done, in bounded time, and
 * nothing of theirs is lost. What the greedy one says is of each kind there is, one after the other.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { credentialFile } from "../../mesh/credential.ts";
import { openHome } from "../../mesh/home.ts";
import { inboxPrefixOf, subjectsOf } from "../../protocol/subjects.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";

const floodS = 4;
/** What a question may take while somebody floods, ms; on a busy machine the flooder has a core to itself. */
const patienceMs = 10_000;
const greedy = fileURLToPath(new URL("../support/greedy-sender.js", import.meta.url));

describe("QUOTA-4: one greedy identity harms no other", { skip: skipWithoutNats, timeout: 280_000 }, () => {
  const mesh = new LiveMesh();
  let seed = 1;
  before(async () => {
    await mesh.up("--port", "0", "--slots", "1");
    for (const [role, name] of [
      ["agent", "wild"],
      ["requester", "mad"],
      ["viewer", "eye"],
    ] as const) {
      const [, ...words] = await mesh.invite(role, name);
      await mesh.ok(name, "join", words.at(-1) ?? "");
    }
    valueOf(await mesh.client.command("account-open", { requester: "mad" }));
  });
  after(() => mesh.close());

  async function flood(
    role: "agent" | "requester" | "viewer",
    name: string,
    bytes: number,
    subjects: readonly string[],
    body?: string,
  ) {
    const home = valueOf(openHome(mesh.homePath(name)));
    const child = spawn(
      process.execPath,
      [
        greedy,
        mesh.url,
        credentialFile(home, role, name),
        String(floodS),
        String(bytes),
        "3",
        inboxPrefixOf(role, name),
        ...subjects,
      ],
      {
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, ...(body === undefined ? {} : { GREEDY_BODY: body }) },
      },
    );
    let said = "";
    child.stdout.on("data", (text: Buffer) => (said += text.toString()));
    await new Promise((resolve) => child.once("close", resolve));
    return said;
  }

  const at = subjectsOf("mesh");
  const floods: readonly [
    what: string,
    role: "agent" | "requester" | "viewer",
    name: string,
    bytes: number,
    subjects: readonly string[],
    body?: string,
  ][] = [
    ["heartbeats", "agent", "wild", 100, [at.heartbeat("wild")]],
    ["registrations", "agent", "wild", 1_000, [at.register("wild")]],
    ["points of made-up trials", "agent", "wild", 900, [at.metric("wild", "s#", "t#")]],
    ["large points", "agent", "wild", 200_000, [at.metric("wild", "s1", "s1-1")]],
    ["log lines", "agent", "wild", 4_000, [at.log("wild", "s1", "s1-#")]],
    ["reports", "agent", "wild", 500, [at.inbox("wild")]],
    ["large reports", "agent", "wild", 900_000, [at.inbox("wild")]],
    [
      "questions",
      "requester",
      "mad",
      0,
      [at.query("requester", "mad", "mesh"), at.query("requester", "mad", "sweeps")],
      "{}",
    ],
    ["a viewer's questions", "viewer", "eye", 0, [at.query("viewer", "eye", "mesh")], "{}"],
    ["commands", "requester", "mad", 300, [at.command("requester", "mad", "sweep-run")]],
    [
      "commands that are done",
      "requester",
      "mad",
      0,
      [at.command("requester", "mad", "sweep-stop")],
      '{"key":"k","body":{"sweep":"s1","why":"x"}}',
    ],
    ["questions for proofs", "agent", "wild", 0, [at.prove], `{"digest":"${"a".repeat(64)}"}`],
  ];
  for (const [what, role, name, bytes, subjects, body] of floods) {
    test(`${what} of ${role} ${name}`, { timeout: 60_000 }, async (context) => {
      const own = seed++;
      const started = performance.now();
      const said = flood(role, name, bytes, subjects, body);
      let worstMs = 0;
      const sweep = await mesh.submit({
        name: `work-${own}`,
        trials: 2,
        epochs: 3,
        milliseconds: 30,
        seed: own,
      });
      let over = false;
      void said.then(() => {
        over = true;
      });
      while (!over) {
        const asked = performance.now();
        valueOf(await mesh.client.query("mesh", {}));
        worstMs = Math.max(worstMs, performance.now() - asked);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const { summary, trials } = await mesh.ended(sweep);
      context.diagnostic(
        `${(await said).trim()} worst question ${Math.round(worstMs)} ms, sweep in ${Math.round(performance.now() - started)} ms`,
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
      assert.ok(worstMs < patienceMs, `${Math.round(worstMs)} ms for an answer`);
    });
  }
});
