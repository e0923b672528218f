/** Requesters of unlike weight on a live mesh: whose trials are served, read from the journal. Not the arithmetic: see core. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { milliTokensPerToken } from "../../protocol/token.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

const epochMs = 200;
const grant = 500 * milliTokensPerToken;

/** Services whose shares are compared, and how far they may be from the weights. */
const compared = 60;
const toleranceRatio = 0.1;
/** Services after a late requester's first, in which nobody may go without. */
const afterLate = 20;
/** All that the two others may get in one round of turns before the late one's comes. */
const roundMax = 4;

const weights = { light: 1, heavy: 3, late: 1 };
type Requester = keyof typeof weights;
const requesters: readonly Requester[] = ["light", "heavy", "late"];

/** A lease as it was given, in order. */
interface Service {
  readonly fence: number;
  readonly requester: string;
  /** Which of the agents; equal rates make equal tokens. */
  readonly agent: string;
  readonly rate: number;
}

describe("SFQ: shares on a live mesh of three agents", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();

  before(async () => {
    await mesh.up("--port", "0", "--slots", "1");
    const [owner] = await Promise.all([
      mesh.person("owner"),
      mesh.joinAgent("two", "--slots", "1"),
      mesh.joinAgent("three", "--slots", "1"),
    ]);
    for (const requester of requesters)
      valueOf(await owner.client.command("account-open", { requester, weight: weights[requester], grant }));
  });
  after(() => mesh.close());

  /** Holds everything back until both wait: who comes first alone gets all slots, and owes nothing for it. */
  const cordon = async (hold: boolean) => {
    for (const agent of ["one", "two", "three"]) await mesh.cordon(agent, hold);
  };
  const launch = async (requester: Requester, trials: number, seed: number) =>
    valueOf(
      await mesh.launch(requester, { name: requester, trials, epochs: 1, milliseconds: epochMs, seed }),
    );
  /** Waits until so many trials of these sweeps have ended, all told. */
  const finished = (sweeps: readonly string[], count: number) =>
    until(`${count} finished trials`, async () => {
      const views = await Promise.all(sweeps.map((sweep) => mesh.sweep(sweep)));
      const done = views.reduce((sum, { summary }) => sum + summary.counts.completed, 0);
      return done >= count ? done : null;
    });
  /** Every lease in order, what each cost in the end, and how many had been given when `late` came. */
  const served = async () => {
    const services: Service[] = [];
    let beforeLate = 0;
    const { state, violations } = await mesh.audit((event, now) => {
      if (event.kind === "SweepSubmitted" && event.requester === "late") beforeLate = services.length;
      if (event.kind !== "LeaseOffered") return;
      const { agent, fence, rate, trial } = event;
      const sweep = now.sweeps.get(now.trials.get(trial)?.sweep ?? "");
      services.push({ agent, fence, rate, requester: sweep?.requester ?? "" });
    });
    assert.deepEqual(violations, []);
    const attempts = [...state.trials.values()].flatMap((trial) => trial.attempts);
    const posted = new Map(attempts.map((attempt) => [attempt.fence, attempt.posted]));
    return { services, posted, beforeLate };
  };

  test("SFQ-2: two requesters of weights 1 and 3, both backlogged, are served 1:3; a third that was idle is served next, and starves nobody", async (t) => {
    await cordon(true);
    const sweeps = await Promise.all([launch("light", 60, 1), launch("heavy", 100, 2)]);
    await cordon(false);
    const done = await finished(sweeps, compared + 3);
    const late = await launch("late", 60, 3);
    await finished([...sweeps, late], done + afterLate + roundMax + 3);
    const { beforeLate, posted, services } = await served();

    const first = services.slice(0, compared);
    assert.deepEqual([...new Set(first.map(({ agent }) => agent))].toSorted(), ["one", "three", "two"]);
    assert.deepEqual([...new Set(first.map(({ rate }) => rate))], [1], "equal rates");
    const tokensOf = (who: Requester) =>
      first
        .filter(({ requester }) => requester === who)
        .reduce((sum, { fence }) => sum + (posted.get(fence) ?? 0), 0);
    const [light, heavy] = [tokensOf("light"), tokensOf("heavy")];
    const ratio = heavy / light;
    t.diagnostic(`${compared} services: ${heavy} and ${light} milli-tokens, ratio ${ratio.toFixed(3)}`);
    assert.ok(Math.abs(ratio / weights.heavy - 1) <= toleranceRatio, `ratio ${ratio}`);

    const since = services.slice(beforeLate).map(({ requester }) => requester);
    const turn = since.indexOf("late");
    t.diagnostic(`after ${beforeLate} services one more requester: ${since.join(" ")}`);
    assert.ok(turn >= 0 && turn <= roundMax, "served at its next turn");
    const then = since.slice(turn + 1, turn + 1 + afterLate);
    assert.equal(then.length, afterLate);
    for (const requester of requesters) assert.ok(then.includes(requester), `${requester} goes on`);
  });
});
