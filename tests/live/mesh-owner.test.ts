/** An owner who comes back to a lent machine: trials stand still at once, go on when he leaves, and leave when he stays. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { connectAs } from "../../mesh/connect.ts";
import { ensureCredential } from "../../mesh/admission.ts";
import { openHome } from "../../mesh/home.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { fromBytes } from "../../protocol/json-bytes.ts";
import { heartbeatSchema, type Heartbeat } from "../../protocol/report.ts";
import { subjectsOf } from "../../protocol/subjects.ts";
import { priceOf } from "../../protocol/token.ts";
import type { CliProcess } from "../support/cli-mesh.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until, within } from "../support/until.ts";

const epochMs = 150;
const leaseMs = 5_000;
/** What is promised is a second; a machine that is busy with other tests may be late to run the agent at all. */
const suspendMaxMs = 3_000;
/** In which a message may be on its way, or a process wait for its turn. */
const slackMs = 1_500;
const skip =
  skipWithoutNats || (process.platform === "linux" ? false : "it looks at processes as Linux shows them");

describe("OWNER-8: the owner of a lent machine comes back", { skip }, () => {
  const mesh = new LiveMesh(leaseMs);
  const inputFile = join(mesh.cli.folder, "input");
  let two: CliProcess;
  let bus: Bus;
  let heartbeat: Heartbeat | null = null;

  /** Whole at any moment, for whoever reads it. */
  const lastInput = (at: number) => {
    writeFileSync(`${inputFile}.new`, String(at));
    renameSync(`${inputFile}.new`, inputFile);
  };
  let typing: NodeJS.Timeout | undefined;
  const input = () => lastInput(Date.now());
  const stay = () => {
    typing = setInterval(input, 200);
  };
  const goAway = () => {
    clearInterval(typing);
    lastInput(0);
  };

  before(async () => {
    goAway();
    await mesh.up("--port", "0", "--no-agent");
    const home = valueOf(openHome(mesh.homePath(LiveMesh.home)));
    const nowS = Math.floor(Date.now() / 1000);
    bus = valueOf(await connectAs(home, valueOf(await ensureCredential(home, "coordinator", "eyes", nowS))));
    bus.subscribe(subjectsOf(home.mesh).heartbeat("two"), ({ data }) => {
      heartbeat = heartbeatSchema.parse(fromBytes(data));
    });
    // Seconds since the stamp in the file, in ms of the time of day. It may be newer than the time that was taken first.
    const command = `awk -v now="$(date +%s%N)" '{ s = (now / 1000000 - $1) / 1000; printf "%.3f", s < 0 ? 0 : s }' ${inputFile}`;
    two = await mesh.joinAgent(
      "two",
      ...["--slots", "1", "--only-when-idle", "0.03", "--vacate-after", "0.15"],
      ...["--idle-load", "1", "--idle-command", command],
    );
    await mesh.agentThat("two", ({ state }) => state === "present");
  });
  after(async () => {
    clearInterval(typing);
    await bus?.close();
    await mesh.close();
  });

  const seen = (what: string, holds: (said: Heartbeat) => boolean) =>
    until(what, () => Promise.resolve(heartbeat !== null && holds(heartbeat) ? heartbeat : null));
  const runningNow = () => heartbeat?.running[0] ?? assert.fail("it has left");
  const suspended = () => seen("the suspension", ({ running }) => running[0]?.suspended === true);
  /** The signal is sent, but a process that waits for its turn stops only then. */
  const stoppedChild = () =>
    until("its process to stop", () => {
      const child = childOf(two.pid);
      return Promise.resolve(stateOf(child) === "T" ? child : null);
    });
  const submit = (name: string, epochs: number, seed: number, only: string, stallAt = 0) =>
    mesh.submit({
      name,
      trials: 1,
      epochs,
      stallAt,
      milliseconds: epochMs,
      seed,
      more: `needs: {agents: {only: [${only}]}}\n`,
    });
  const firstAttempt = async (trial: string) => {
    const { state, violations } = await mesh.audit();
    assert.deepEqual(violations, []);
    return state.trials.get(trial)?.attempts[0] ?? assert.fail(`${trial} has no attempt`);
  };
  /** Waits for a checkpoint on agent two, then the owner comes and stays; the trial, and how long after it was suspended, ms. */
  const disturb = async (sweep: string) => {
    const { trial } = await mesh.trialThat(sweep, "a checkpoint", ({ resource }) => resource > 0);
    for (;;) {
      await seen("a trial at work", ({ running }) => running[0]?.suspended === false);
      const already = two.said.length;
      const at = performance.now();
      input();
      const said = await within(suspendMaxMs, "the suspension", suspended());
      const wallMs = performance.now() - at;
      stay();
      const line = await until("what the agent says of it", () =>
        /stand still or leave(?:, (\d+) ms after the input)?\)/.exec(two.said.slice(already)),
      );
      if (line[1] !== undefined) return { trial, said, wallMs, agentMs: Number(line[1]) };
      // Where the machine is so busy that nobody can say whether the owner is there, it stands still for that.
      goAway();
    }
  };

  test("input suspends what runs, for no tokens; quiet lets it go on to its end", async (t) => {
    const sweep = await submit("pause", 50, 1, "two");
    const { agentMs, said, trial, wallMs } = await disturb(sweep);
    const at = performance.now();
    t.diagnostic(`suspended ${agentMs} ms after the input; seen in the mesh after ${Math.round(wallMs)} ms`);
    assert.ok(agentMs <= wallMs + 1, `${agentMs} ms of ${wallMs}`);
    assert.equal(said.owner?.stance, "suspended");
    assert.equal(said.owner.idleSource, "the owner's command");
    const child = await stoppedChild();
    // What was on its way when it stopped arrives; then it uses no time and gets no further.
    const still = await until("a while without progress", async () => {
      const before = runningNow();
      await sleep(2_000);
      return isDeepStrictEqual(runningNow(), before) ? before : null;
    });
    assert.equal(stateOf(child), "T");
    const { reserved, rate } = await firstAttempt(trial);
    assert.ok(
      reserved <= priceOf(still.usedMs + leaseMs, rate) + 1,
      "nothing is reserved for standing still",
    );
    const closed = await mesh.agentThat("two", ({ state }) => state === "closed");
    assert.match(
      closed.closed ?? "",
      /^the owner is at the machine \(the owner's command\); trials go on after/,
    );

    const suspendedMs = performance.now() - at;
    goAway();
    const { summary } = await mesh.ended(sweep);
    assert.equal(summary.state, "done");
    const attempt = await firstAttempt(trial);
    assert.deepEqual([attempt.agent, attempt.ending], ["two", "finished"], "one attempt did it all");
    // The epoch under way when it stopped slept on in part: its sleep, unlike work, runs out while it stands still.
    assert.ok(attempt.keptMs >= 49 * epochMs * 0.99);
    const awakeMs = (attempt.endedAt ?? 0) - attempt.at - suspendedMs;
    assert.ok(attempt.keptMs <= awakeMs + slackMs, `${attempt.keptMs} ms used, ${awakeMs} ms awake`);
    assert.equal(attempt.posted, priceOf(attempt.keptMs, attempt.rate));
  });

  test("an owner who stays drives it out: it ends elsewhere, and only kept work is paid for", async (t) => {
    goAway();
    await mesh.agentThat("two", ({ state }) => state === "present");
    const sweep = await submit("leave", 30, 2, "two, three", 18);
    await mesh.trialThat(sweep, "its start", ({ attempts }) => attempts.length > 0);
    const joined = mesh.joinAgent("three", "--slots", "1");
    const { agentMs, trial } = await disturb(sweep);
    t.diagnostic(`suspended ${agentMs} ms after the input`);
    await joined;
    const { trials } = await mesh.ended(sweep);
    const attempts = trials[0]?.attempts ?? [];
    assert.deepEqual(
      attempts.map(({ agent, ending }) => [agent, ending]),
      [
        ["two", "stopped: the machine's owner took it back"],
        ["three", "finished"],
      ],
    );
    assert.ok((attempts[1]?.fromResource ?? 0) > 0, "from its checkpoint");
    const { state } = await mesh.audit();
    const [left, finished] = state.trials.get(trial)?.attempts ?? [];
    assert.ok(left !== undefined && finished !== undefined);
    assert.equal(left.posted, priceOf(left.keptMs, left.rate), "up to the checkpoint, and no further");
    assert.ok(left.keptMs < 30 * epochMs);
    const statement = [...state.trials.values()].flatMap(({ attempts }) => attempts);
    const total = statement.reduce((sum, { posted }) => sum + posted, 0);
    const account = [...state.accounts.values()].find(({ posted }) => posted > 0);
    assert.deepEqual([account?.posted, account?.pending], [total, 0]);
  });

  test("an agent killed while trials stand still leaves no process behind", async () => {
    goAway();
    await mesh.agentThat("two", ({ state }) => state === "present");
    await disturb(await submit("orphan", 200, 3, "two"));
    const child = await stoppedChild();
    process.kill(two.pid, "SIGKILL");
    await until("the end of its process", () => Promise.resolve(stateOf(child) === null ? true : null));
  });
});

/** Pid of the process that trains for this agent. */
function childOf(agent: number): number {
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const found = fieldsOf(Number(name));
    if (found?.parent === agent && commandOf(name).includes("agent/child/child.")) return Number(name);
  }
  return assert.fail(`process ${agent} has no child that trains`);
}

/** As `ps` shows it: T is stopped. Null when there is no such process any more. */
function stateOf(pid: number): string | null {
  const state = fieldsOf(pid)?.state ?? null;
  return state === "Z" ? null : state;
}

function fieldsOf(pid: number): { readonly state: string; readonly parent: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [state = "", parent = ""] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state, parent: Number(parent) };
  } catch {
    return null; // it has ended
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return ""; // it has ended
  }
}
