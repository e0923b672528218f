/** PROBE-16: what a running agent has measured again reaches the coordinator without a restart, and is what its next leases cost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { quietMs } from "../../agent/capability/measure-again.ts";
import { activeAttempt, mustGet } from "../../coordinator/state/state.ts";
import { keepMeasured, type KeepMeasuredOptions } from "../../mesh/part/keep-measured.ts";
import { openPolicy, type Capability } from "../../protocol/capability.ts";
import { Fold, capability, sweepSpec } from "../support/fold.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const loaded = (rate: number, load?: number): Capability => {
  const { backends, ...others } = capability({ alpha: rate });
  return { ...others, backends: backends.map((one) => (load === undefined ? one : { ...one, load })) };
};

class Machine {
  readonly clock = new VirtualClock();
  readonly fold = new Fold();
  readonly told: Capability[] = [];
  readonly said: string[] = [];
  readonly end: () => void;

  constructor(measure: NonNullable<KeepMeasuredOptions["measure"]>, first: Capability, isFinal = false) {
    this.#register(first);
    this.end = keepMeasured({
      agent: {
        isFree: () => (this.fold.state.held.get("a")?.size ?? 0) === 0,
        advertise: (now) => {
          this.told.push(now);
          this.#register(now);
        },
      },
      clock: this.clock,
      environment: {},
      first: {
        capability: first,
        isFinal,
        python: {
          facts: { python: null },
          watched: [{ path: "/nowhere/at/all", changed: null }],
          late: false,
        },
      },
      folder: ".",
      interpreter: "python3",
      programs: "none",
      say: (line) => this.said.push(line),
      othersShare: () => 0,
      measure,
    });
  }

  #register(now: Capability): void {
    this.fold.do({
      kind: "register",
      agent: "a",
      register: { incarnation: "a-1", capability: now, policy: openPolicy(1) },
    });
  }

  lease(): number {
    this.fold.open("ada", 1_000_000);
    this.fold.must("sweep-run", { spec: sweepSpec({ reuse: false }) });
    const [trial] = this.fold.running();
    assert.ok(trial !== undefined);
    return activeAttempt(trial)?.rate ?? assert.fail("it runs");
  }
}

test("PROBE-16: the rate of an idle machine is told, and priced at, in the same run of the agent", async () => {
  const { backends, rates } = loaded(6);
  const machine = new Machine(() => Promise.resolve({ backends, rates, isFinal: true }), loaded(1, 0.63));
  await machine.clock.advance(quietMs + 10_000);
  assert.deepEqual(machine.told, [loaded(6)]);
  const agent = mustGet(machine.fold.state.agents, "a", "agent");
  assert.deepEqual([agent.incarnation, agent.earlier], ["a-1", []]);
  assert.equal(
    agent.capability.backends.some(({ load }) => load !== undefined),
    false,
  );
  assert.equal(machine.lease(), 6);
  await machine.clock.advance(60 * quietMs);
  assert.equal(machine.told.length, 1);
  machine.end();
});

test("PROBE-16: what says the same is not told; what fails is said and tried again later; what is final is left alone", async () => {
  const { backends, rates } = loaded(1, 0.63);
  let asked = 0;
  const same = new Machine(
    () => {
      asked++;
      return Promise.resolve({ backends, rates, isFinal: false });
    },
    loaded(1, 0.63),
  );
  await same.clock.advance(20 * quietMs);
  assert.deepEqual([same.told, asked], [[], 2]);
  same.end();

  const failing = new Machine(() => Promise.reject(new Error("the disk is full")), loaded(1, 0.63));
  await failing.clock.advance(3 * quietMs);
  assert.deepEqual(failing.said, ["this machine could not be measured again: the disk is full"]);
  failing.end();

  const final = new Machine(() => assert.fail("measured"), loaded(1), true);
  await final.clock.advance(60 * quietMs);
  final.end();
});

test("PROBE-16: a lease that comes meanwhile ends the measurement, and nothing of it is told", async () => {
  const aborted: boolean[] = [];
  const { backends, rates } = loaded(6);
  const machine = new Machine(
    async (_, signal) => {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      aborted.push(signal.aborted);
      return { backends, rates, isFinal: true };
    },
    loaded(1, 0.63),
  );
  await machine.clock.advance(quietMs + 10_000);
  assert.equal(machine.lease(), 1);
  await machine.clock.advance(1_000);
  assert.deepEqual([aborted, machine.told], [[true], []]);
  machine.end();
});
