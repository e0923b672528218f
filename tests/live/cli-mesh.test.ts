/** The command line against a real mesh: server, coordinator and agents as processes, in the order a person would go. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { CliMesh, type CliProcess } from "../support/cli-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

const agentsSchema = z.object({ agents: z.array(z.object({ agent: z.string(), state: z.string() })) });
const sweepSchema = z.object({
  summary: z.object({
    sweep: z.string(),
    state: z.string(),
    spent: z.number(),
    counts: z.record(z.string(), z.number()),
  }),
  trials: z.array(
    z.object({
      trial: z.string(),
      state: z.string(),
      resource: z.number(),
      attempts: z.array(z.object({ agent: z.string(), state: z.string() })),
    }),
  ),
});

function sweepFile(name: string, trials: number, milliseconds: number, more = ""): string {
  return `name: ${name}
task: noop
search: {method: random, trials: ${trials}, seed: 3}
stopping: {policy: none, max: 2}
models:
  noop: {x: {distribution: uniform, min: 0, max: 1}, milliseconds: ${milliseconds}}
${more}`;
}

describe("CLI-10: a mesh through the command line", { skip: skipWithoutNats }, () => {
  const mesh = new CliMesh();
  let up: CliProcess;

  before(async () => {
    up = mesh.start("one", "up", "--port", "0", "--name", "one", "--slots", "2");
    await up.saidLine(/mesh mesh is up/);
  });
  after(() => mesh.close());

  async function agentsPresent(...names: readonly string[]): Promise<void> {
    await until(`agents ${names.join(", ")}`, async () => {
      const { out, code } = await mesh.run("one", "agents", "--json");
      if (code !== 0) return null;
      const present = agentsSchema.parse(JSON.parse(out)).agents.filter((agent) => agent.state === "present");
      return names.every((name) => present.some((agent) => agent.agent === name)) ? true : null;
    });
  }

  test("a bad sweep file is told with file, line and nearest name, and nothing is submitted", async () => {
    const file = mesh.write("bad.yaml", sweepFile("bad", 2, 0).replace("task: noop", "task: nop"));
    const { code, out, err } = await mesh.runProcess("one", "sweep", "run", file);
    assert.equal(code, 1);
    assert.equal(out, "");
    assert.equal(err, `${file}:2: field task: no task is called "nop", did you mean "noop"?\n`);
    const listed = await mesh.run("one", "sweep", "ls", "--json");
    assert.deepEqual(JSON.parse(listed.out), { sweeps: [] });
  });

  test("a sweep nothing can run is refused with the nearest agent and what it lacks", async () => {
    const file = mesh.write("big.yaml", sweepFile("big", 2, 0, "needs: {memGiB: 100000}\n"));
    const { code, err } = await mesh.run("one", "sweep", "run", file);
    assert.equal(code, 1);
    assert.match(err, /^trialmesh: .*one.*memGiB.*100000[^\n]*\n$/);
  });

  test("a sweep runs to its end; the same again is answered from the record for no tokens", async () => {
    const file = mesh.write(
      "quick.yaml",
      sweepFile("quick", 4, 20, "register: {model: quick, alias: champion}\n"),
    );
    const first = await mesh.runProcess("one", "sweep", "run", file);
    assert.equal(first.code, 0, first.err);
    assert.match(first.out, /best model: noop of s1-\d, accuracy [\d.]+/);
    assert.match(first.out, /registered: quick@1, quick@champion points to it\n$/);
    const again = await mesh.run("one", "sweep", "run", file, "--json");
    assert.equal(again.code, 0, again.err);
    const { summary } = sweepSchema.parse(JSON.parse(again.out));
    assert.deepEqual([summary.state, summary.spent, summary.counts["reused"]], ["done", 0, 4]);
    const lineage = await mesh.run("one", "model", "lineage", "quick@champion");
    assert.match(lineage.out, /trained by +noop of noop, code trialmesh/);
    assert.match(lineage.out, /agent +one, backend none/);
  });

  test("who runs out of tokens waits, and the command says so with status 3", async () => {
    assert.equal((await mesh.run("one", "account", "open", "alice", "--grant", "2")).code, 0);
    const file = mesh.write("dear.yaml", sweepFile("dear", 6, 300).replace("seed: 3", "seed: 4"));
    const { code, err } = await mesh.runProcess("one", "sweep", "run", file, "--as", "alice");
    assert.equal(code, 3, err);
    assert.match(
      err,
      /trialmesh: s\d+ waits for tokens; `trialmesh budget grant alice TOKENS` lets it go on/,
    );
    const { out } = await mesh.run("one", "budget", "show", "alice", "--json");
    const { accounts } = z
      .object({
        accounts: z.array(
          z.object({
            lines: z.array(z.object({ granted: z.number(), posted: z.number(), pending: z.number() })),
          }),
        ),
      })
      .parse(JSON.parse(out));
    const lines = accounts.flatMap((account) => account.lines);
    assert.ok(lines.length > 1);
    assert.ok(lines.every((line) => line.posted + line.pending <= line.granted));
  });

  test("another home joins by the invited line, works, and is cut off when revoked", async () => {
    const invited = await mesh.run("one", "invite", "agent", "two");
    const line =
      /^trialmesh (agent --join tm4\.\S{57}@\S+)\n$/.exec(invited.out)?.[1] ?? assert.fail(invited.out);
    const two = mesh.start("two", ...line.split(" "), "--slots", "2");
    await agentsPresent("one", "two");
    const file = mesh.write("shared.yaml", sweepFile("shared", 8, 200).replace("seed: 3", "seed: 5"));
    const ran = await mesh.run("one", "sweep", "run", file, "--json");
    assert.equal(ran.code, 0, ran.err);
    const { trials } = sweepSchema.parse(JSON.parse(ran.out));
    assert.deepEqual(
      [...new Set(trials.flatMap((trial) => trial.attempts.map((attempt) => attempt.agent)))].toSorted(),
      ["one", "two"],
    );
    const revoked = await mesh.run("one", "revoke", "two");
    assert.equal(revoked.out, "agent two is cut off now\n");
    assert.equal(await two.ended, 1);
    assert.match(two.said, /trialmesh: the mesh no longer accepts agent two/);
    const back = await mesh.runProcess("two", "agent");
    assert.equal(back.code, 1);
    assert.match(back.err, /trialmesh: the mesh at nats:\S+ does not accept the credential of agent two/);
  });

  test("a requester and a viewer join from homes of their own, and each may do what its role may", async () => {
    const join = async (role: string, name: string) => {
      const invited = await mesh.run("one", "invite", role, name);
      const line = /^trialmesh (join tm4\.\S{57}@\S+)\n$/.exec(invited.out)?.[1] ?? assert.fail(invited.out);
      assert.equal((await mesh.run(name, ...line.split(" "))).code, 0);
    };
    await join("requester", "bob");
    await join("viewer", "eve");
    assert.equal((await mesh.run("one", "account", "open", "bob", "--grant", "10")).code, 0);
    const file = mesh.write("theirs.yaml", sweepFile("theirs", 2, 0).replace("seed: 3", "seed: 7"));
    assert.equal((await mesh.run("bob", "sweep", "run", file)).code, 0);
    assert.match((await mesh.run("eve", "sweep", "ls")).out, /theirs +bob +done/);
    const denied = await Promise.all([
      mesh.run("eve", "sweep", "run", file),
      mesh.run("bob", "budget", "grant", "bob", "5"),
      mesh.run("bob", "up"),
    ]);
    assert.deepEqual(
      denied.map(({ code }) => code),
      [1, 1, 1],
    );
    const [looks, grants, opens] = denied.map(({ err }) => err);
    assert.match(looks ?? "", /^trialmesh: viewer eve may look and change nothing; [^\n]*\n$/);
    assert.match(grants ?? "", /^trialmesh: budget-grant needs the role owner; bob is a requester\n$/);
    assert.match(
      opens ?? "",
      /^trialmesh: .* joined a mesh made elsewhere and holds no keys to it; [^\n]*\n$/,
    );
  });

  test("INV-7: a line that was used is told by whom, on both sides, and one that was not is taken back", async () => {
    const invited = await mesh.run("one", "invite", "viewer", "vera", "--expires", "90m", "--json");
    const { code, id } = z.object({ code: z.string(), id: z.string() }).parse(JSON.parse(invited.out));
    assert.ok(code.length <= 90, code);
    assert.match(invited.err, /within 90m; the first machine that does is viewer vera/);
    assert.equal((await mesh.run("vera", "join", code)).code, 0);
    const late = await mesh.run("late", "join", code);
    assert.equal(late.code, 1);
    assert.match(
      late.err,
      /^trialmesh: this invitation was used by \S+ as vera at [^\n]+ UTC; ask [^\n]+\n$/,
    );
    const listed = await mesh.run("one", "invite", "--list");
    assert.match(listed.out, new RegExp(`${id} +viewer vera +used +1/1`));
    assert.match(
      listed.out,
      new RegExp(`${id}: \\S+ joined as vera, [^\n]+\n${id}: \\S+ came too late and was turned away`),
    );
    assert.match((await mesh.run("one", "doctor")).out, /warn +invitations +used twice: viewer vera by/);
    const unused = await mesh.run("one", "invite", "agent", "spare");
    const spare = / --revoke (\S+)` takes/.exec(unused.err)?.[1] ?? assert.fail(unused.err);
    assert.equal(
      (await mesh.run("one", "invite", "--revoke", spare)).out,
      `invitation ${spare} of agent spare is taken back\n`,
    );
    const [, line = ""] = / --join (\S+)/.exec(unused.out) ?? [];
    assert.match((await mesh.run("late", "join", line)).err, /^trialmesh: this invitation was taken back at/);
    for (const [words, code] of [
      [["invite"], 2],
      [["invite", "agent"], 2],
      [["invite", "agent", "x", "--expires", "soon"], 2],
      [["invite", "agent", "x", "--uses", "0"], 2],
      [["invite", "--revoke", "nothing"], 2],
    ] as const) {
      const refused = await mesh.run("one", ...words);
      assert.equal(refused.code, code, words.join(" "));
      assert.match(refused.err, /^trialmesh: [^\n]+\n$/);
    }
  });

  test("--as acts for who was invited, in their role, and for nobody else", async () => {
    assert.equal((await mesh.run("one", "invite", "viewer", "guest")).code, 0);
    const shown = await mesh.run("one", "connection", "--as", "guest", "--json");
    const connection = z
      .object({ role: z.string(), name: z.string(), credentials: z.string(), commandPrefix: z.null() })
      .parse(JSON.parse(shown.out));
    assert.deepEqual([connection.role, connection.name], ["viewer", "guest"]);
    assert.match(connection.credentials, /viewer\.guest\.creds$/);
    const slip = await mesh.run("one", "connection", "--as", "guset");
    assert.equal(slip.code, 1);
    assert.match(
      slip.err,
      /^trialmesh: nobody named "guset" was invited, .*; did you mean "guest"\?; `trialmesh account open guset` opens one\n$/,
    );
    assert.equal((await mesh.run("one", "revoke", "guest")).code, 0);
    const gone = await mesh.run("one", "connection", "--as", "guest");
    assert.equal(gone.code, 1, "the credential that was made here is revoked with the invited one");
  });

  test("kill -9 of a part: it is started again and the sweep ends with one outcome a trial", async () => {
    const pid = Number(/agent: process (\d+)/.exec(up.said)?.[1] ?? assert.fail(up.said));
    // Two of the four stand still in their last epoch until the part is killed, and go on from their checkpoints after it.
    const sweepText = `name: killed
task: noop
search: {method: grid, trials: 4}
stopping: {policy: none, max: 14}
models:
  noop: {x: [0.2, 0.6], milliseconds: 180, stallAtEpoch: [0, 14]}
`;
    const file = mesh.write("killed.yaml", sweepText);
    const { out } = await mesh.run("one", "sweep", "run", file, "--detach");
    const sweep = out.trim();
    const show = async () =>
      sweepSchema.parse(JSON.parse((await mesh.run("one", "sweep", "show", sweep, "--json")).out));
    await until("two that have kept something, beside two that have ended", async (note) => {
      const { trials } = await show();
      note(trials);
      const held = trials.filter(({ resource, state }) => state === "running" && resource > 0);
      const ended = trials.filter(({ state }) => state === "completed");
      return held.length === 2 && ended.length === 2 ? true : null;
    });
    process.kill(pid, "SIGKILL");
    await up.saidLine(/agent: ended by SIGKILL; starting it again/);
    const view = await until("the end of the sweep", async () => {
      const found = await show();
      return found.summary.state === "done" ? found : null;
    });
    assert.deepEqual(
      view.trials.map((trial) => trial.state),
      ["completed", "completed", "completed", "completed"],
    );
  });

  test("a second mesh on a port that is taken says so, and a second up of this home too", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = z.object({ port: z.number() }).parse(taken.address());
    const other = await mesh.run("three", "up", "--port", String(port));
    taken.close();
    assert.equal(other.code, 1);
    assert.match(
      other.err,
      new RegExp(`trialmesh: port ${port} on 127\\.0\\.0\\.1 is taken by another program; `),
    );
    const second = await mesh.runProcess("one", "up", "--port", "0");
    assert.equal(second.code, 1);
    assert.match(
      second.err,
      /trialmesh: the mesh of .* is up already \(process \d+, nats:\S+\); stop it with `trialmesh down`\n$/,
    );
  });

  test("down ends agent, coordinator and server, and nothing is lost", async () => {
    const down = await mesh.runProcess("one", "down");
    assert.equal(down.code, 0, down.err);
    assert.equal(await up.ended, 0);
    up = mesh.start("one", "up", "--name", "one");
    await up.saidLine(/mesh mesh is up/);
    const { out } = await mesh.run("one", "model", "show", "quick", "--json");
    assert.equal(z.object({ versions: z.array(z.unknown()) }).parse(JSON.parse(out)).versions.length, 1);
  });
});
