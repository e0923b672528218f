/**
 * Time used, on a real mesh: a program that says nothing until its end, one whose account runs out meanwhile, and an agent that
 * speaks the wire by itself and makes its figures up.
 */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { connectAs } from "../../mesh/connect.ts";
import { ensureCredential } from "../../mesh/admission.ts";
import { openHome } from "../../mesh/home.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { answerSchema } from "../../protocol/command.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { drainSchema, offerSchema, type Lease } from "../../protocol/order.ts";
import { streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { sleep } from "../../protocol/time/clock.ts";
import { agentRecord } from "../golden/agent-record.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

const leaseMs = 3_000;
const timeout = 110_000;
const signed = z.looseObject({});

/** An agent made up: it registers, takes what it is offered, and says what a test has it say. */
class MadeUpAgent {
  readonly heard: string[] = [];
  readonly #bus: Bus;
  readonly #mesh: string;
  readonly #name: string;
  readonly #incarnation: string;
  readonly #leases: Lease[] = [];
  #reports = 0;

  constructor(bus: Bus, mesh: string, name: string) {
    this.#bus = bus;
    this.#mesh = mesh;
    this.#name = name;
    this.#incarnation = `${name}-made-up`;
    const subjects = subjectsOf(mesh);
    bus.subscribe(subjects.order(name, "offer"), ({ data }) => {
      this.#leases.push(...offerSchema.parse(signed.parse(fromBytes(data))).leases);
    });
    bus.subscribe(subjects.order(name, "drain"), ({ data }) => {
      const { quarantined } = drainSchema.parse(signed.parse(fromBytes(data)));
      if (quarantined !== undefined) this.heard.push(quarantined);
    });
  }

  /** With the capability that an agent of before had. Returns why it is quarantined, as the answer says. */
  async register(): Promise<string | undefined> {
    const hello = agentRecord().find(({ on }) => on === "hello")?.body ?? assert.fail("no hello");
    const body = toBytes({ ...hello, incarnation: this.#incarnation });
    const answer = answerSchema.parse(
      fromBytes(await this.#bus.request(subjectsOf(this.#mesh).register(this.#name), body, 5_000)),
    );
    assert.ok(answer.ok);
    return z.object({ quarantined: z.string().optional() }).parse(answer.value).quarantined;
  }

  beat(running: readonly Readonly<Record<string, unknown>>[]): void {
    const said = { closed: null, cpuLoad: 0, memFreeGiB: 8, running };
    const heartbeat = { incarnation: this.#incarnation, epoch: 1, ...said };
    this.#bus.publish(subjectsOf(this.#mesh).heartbeat(this.#name), toBytes(heartbeat));
  }

  async offered(trial: string): Promise<Lease> {
    return until(`${trial} to be offered`, () => {
      this.beat([]);
      return Promise.resolve(this.#leases.find((lease) => lease.trial === trial) ?? null);
    });
  }

  async report(report: Readonly<Record<string, unknown>>): Promise<void> {
    const batch = {
      incarnation: this.#incarnation,
      reports: [{ id: `${this.#name}.${++this.#reports}`, report }],
    };
    const { inbox } = streamsOf(this.#mesh);
    await this.#bus.append(inbox, subjectsOf(this.#mesh).inbox(this.#name), toBytes(batch));
  }

  finish(lease: Lease, usedMs: number): Promise<void> {
    const kept = { resource: lease.target, digest: "c".repeat(64), bytes: 1, metrics: { loss: 0.5 } };
    return this.report({ kind: "finished", fence: lease.fence, ...kept, usedMs });
  }
}

describe("time used is measured on both sides", { skip: skipWithoutNats, timeout }, () => {
  const mesh = new LiveMesh(leaseMs);
  const buses: Bus[] = [];

  const silentFile = (name: string, seconds: number, more = "") => {
    const folder = join(mesh.cli.folder, name);
    mkdirSync(folder, { recursive: true });
    const script = `sleep ${seconds}\necho score=1\n`;
    writeFileSync(join(folder, "silent.sh"), script);
    const text = `name: ${name}
command: [sh, silent.sh]
objective: { metric: score, goal: maximize }
parameters: { x: { distribution: uniform, min: 0, max: 1 } }
search: { trials: 1, seed: 1 }
needs: { agents: { only: [one] } }
${more}`;
    writeFileSync(join(folder, "sweep.yaml"), text);
    return join(folder, "sweep.yaml");
  };
  const liar = async (name: string) => {
    const home = valueOf(openHome(mesh.homePath(LiveMesh.home)));
    const credential = valueOf(await ensureCredential(home, "agent", name, Math.floor(Date.now() / 1000)));
    const bus = valueOf(await connectAs(home, credential));
    buses.push(bus);
    const agent = new MadeUpAgent(bus, home.mesh, name);
    assert.equal(await agent.register(), undefined);
    return agent;
  };
  const noopFor = (name: string, only: string, seed: number) =>
    mesh.submit({
      name,
      trials: 1,
      epochs: 1,
      milliseconds: 5,
      seed,
      more: `needs: { agents: { only: [${only}] } }\n`,
    });
  const attemptOf = async (trial: string) => {
    const { state, violations } = await mesh.audit();
    assert.deepEqual(violations, []);
    return state.trials.get(trial)?.attempts[0] ?? assert.fail(`${trial} has no attempt`);
  };

  before(async () => {
    await mesh.up("--port", "0", "--slots", "2");
  });
  after(async () => {
    for (const bus of buses) await bus.close();
    await mesh.close();
  });

  test("METER-5: a program silent for five leases pays five, each reserved before it is used", async (t) => {
    const seconds = (5 * leaseMs) / 1_000;
    const { out } = await mesh.ok(LiveMesh.home, "sweep", "run", silentFile("silent", seconds), "--detach");
    const { summary } = await mesh.ended(out.trim());
    assert.equal(summary.state, "done");
    const { ending, posted, rate } = await attemptOf("s1-1");
    t.diagnostic(`${posted} milli-tokens for ${seconds} s at ${rate} tokens/s`);
    assert.equal(ending, "finished");
    const due = 5 * leaseMs * rate;
    // Its clock starts a moment after its process.
    assert.ok(posted >= due * 0.99 && posted <= due * 1.2 + 1_000, `${posted}, not ${due}`);
    let reserved = 0;
    await mesh.audit((event) => {
      if (event.kind === "LeaseOffered") reserved = event.reserved;
      if (event.kind === "LeaseExtended") reserved += event.added;
    });
    assert.ok(reserved >= posted, "all of it was reserved");
    assert.deepEqual(
      (await mesh.mesh()).agents.map(({ cordonReason }) => cordonReason),
      [null],
    );
  });

  test("LEASE-3: a silent program whose sweep has no more to spend stops there, and has cost no more", async () => {
    const cap = (2 * leaseMs) / 1_000;
    const file = silentFile("poor", 600, `budget: { tokens: ${cap} }\nbeyondBudget: true\n`);
    const { out } = await mesh.ok(LiveMesh.home, "sweep", "run", file, "--detach");
    const sweep = out.trim();
    const trial = await mesh.trialThat(
      sweep,
      "its end",
      ({ attempts }) => attempts[0]?.ending?.startsWith("stopped") === true,
    );
    const { note, posted } = await attemptOf(trial.trial);
    assert.equal(note, "its prepaid time ran out");
    assert.ok(posted > 0.8 * cap * 1_000 && posted <= cap * 1_000, `${posted} of ${cap} tokens`);
    await mesh.ok(LiveMesh.home, "sweep", "stop", sweep);
  });

  test("METER-4: an agent that claims rising figures gains nothing, is named everywhere, and is told", async () => {
    const agent = await liar("liar");
    const sweep = await noopFor("rising", "liar", 11);
    const lease = await agent.offered(`${sweep}-1`);
    const began = performance.now();
    await agent.report({ kind: "accepted", fence: lease.fence });
    for (let beat = 1; beat <= 8; beat++) {
      const said = {
        fence: lease.fence,
        resource: 0,
        usedMs: beat * 100_000,
        suspended: false,
        atWork: true,
      };
      // What it was not given, and what is no number, counts as little.
      agent.beat([said, { ...said, fence: lease.fence + 1_000 }, { ...said, fence: 1 }]);
      agent.beat([{ ...said, usedMs: -1 }]);
      agent.beat([{ ...said, usedMs: "1e400" }]);
      await sleep(systemClock, 250);
    }
    await agent.finish(lease, 861_000);
    await mesh.ended(sweep);
    const tookMs = performance.now() - began;
    const { posted, rate } = await attemptOf(lease.trial);
    // Offered a moment before it looked.
    assert.ok(posted <= (tookMs + 2_000) * rate, `${posted} for ${tookMs} ms at ${rate}`);
    const reason = await until("its name", async () => {
      const { agents } = await mesh.mesh();
      return agents.find((one) => one.agent === "liar")?.cordonReason ?? null;
    });
    assert.match(
      reason,
      /its word of the time it used for fence \d+ disagrees with the clock: it says 100\.0 s/,
    );
    await until("it to be told", () => Promise.resolve(agent.heard.includes(reason) ? true : null));
    assert.equal(await agent.register(), reason, "and again when it comes back");
    const shown = await mesh.ok(LiveMesh.home, "agents");
    assert.ok(shown.out.includes(`liar is quarantined: ${reason}`), shown.out);
    const doctor = await mesh.cli.run(LiveMesh.home, "doctor");
    assert.ok(doctor.out.includes(`liar is quarantined: ${reason}`), doctor.out);
    const next = await noopFor("after", "liar", 12);
    await sleep(systemClock, 1_000);
    assert.equal((await mesh.sweep(next)).trials[0]?.state, "queued", "it gets nothing more");
    await mesh.ok(LiveMesh.home, "sweep", "stop", next);
  });

  test("METER-1, METER-2: finished at once with a lease of use; a clock that stands for three leases", async () => {
    const fast = await liar("fast");
    const first = await fast.offered(`${await noopFor("fast", "fast", 21)}-1`);
    await fast.finish(first, leaseMs);
    await mesh.ended(first.sweep);
    assert.ok((await attemptOf(first.trial)).posted < leaseMs * 0.9);

    const still = await liar("still");
    const second = await still.offered(`${await noopFor("still", "still", 22)}-1`);
    await still.report({ kind: "accepted", fence: second.fence });
    const began = performance.now();
    while (performance.now() - began < 3 * leaseMs) {
      still.beat([{ fence: second.fence, resource: 0, usedMs: 10, suspended: false, atWork: true }]);
      await sleep(systemClock, 400);
    }
    await still.finish(second, 10);
    await mesh.ended(second.sweep);
    const { posted, rate } = await attemptOf(second.trial);
    assert.ok(posted >= (3 * leaseMs - 1_500) * rate, `${posted} at ${rate}`);
    const named = await until("both names", async () => {
      const { agents } = await mesh.mesh();
      const accused = agents.filter(({ cordonReason }) => cordonReason !== null).map(({ agent }) => agent);
      return accused.length === 3 ? accused : null;
    });
    assert.deepEqual(named, ["fast", "liar", "still"]);
  });
});
