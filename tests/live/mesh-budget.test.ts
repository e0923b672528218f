/** A budget on a live mesh: it runs out in the middle, is granted more, refilled, capped, and never overspent at any entry. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { formatTokens, milliTokensPerToken } from "../../protocol/token.ts";
import { budgetView } from "../../protocol/view.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

const epochMs = 200;
/** Long enough for a process to start and keep something, whatever else the machine does. */
const leaseMs = 5_000;
const tokens = (count: number) => count * milliTokensPerToken;

/** Of 7 tokens each, which is more than one lease. */
const long = { trials: 2, epochs: 35, milliseconds: epochMs };
/** Less than they cost; one lease for each of the two. */
const tooLittle = 10;
const plenty = 40;
/** Of 2 tokens each: more than `plenty`, whatever the machine does beside. */
const huge = { trials: 1_000, epochs: 10, milliseconds: epochMs };
/** Less than one trial of these costs. */
const capped = { trials: 2, epochs: 30, milliseconds: epochMs };
const cap = 4.5;

/** An account at the entry where the largest share of its grant was in use. */
interface Most {
  readonly granted: number;
  readonly posted: number;
  readonly pending: number;
  readonly share: number;
}

describe("BUDGET: tokens of a live mesh", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh(leaseMs);

  before(async () => {
    await mesh.up("--port", "0", "--slots", "2");
    const { client } = await mesh.person("owner");
    for (const [requester, grant] of [
      ["alice", tokens(tooLittle)],
      ["bob", tokens(plenty)],
    ] as const)
      valueOf(await client.command("account-open", { requester, weight: 1, grant }));
  });
  after(() => mesh.close());

  const account = async (requester: string) => {
    const { out } = await mesh.ok("one", "budget", "show", requester, "--json");
    return budgetView.parse(JSON.parse(out)).accounts[0] ?? assert.fail(out);
  };
  const waiting = (sweep: string) =>
    until(`${sweep} to wait`, async () => {
      const view = await mesh.sweep(sweep);
      return view.summary.waiting === null ? null : view;
    });

  test("BUDGET-1: the budget runs out in the middle: trials pause at checkpoints, and a grant takes them from there to the end", async () => {
    const sweep = valueOf(await mesh.launch("alice", { ...long, name: "short", seed: 1 }));
    const cut = await waiting(sweep);
    assert.equal(cut.summary.state, "waiting");
    assert.match(
      cut.summary.waiting ?? "",
      /^the budget of alice has [\d.]+ tokens left, the next trial needs/,
    );
    const paused = cut.trials.filter(({ state, attempts }) => state === "queued" && attempts.length > 0);
    assert.ok(paused.length > 0, "some were in the middle");
    const halted = new Map<string, { readonly fence: number; readonly resource: number }>();
    for (const { attempts, failure, resource, trial } of paused) {
      const last = attempts.at(-1) ?? assert.fail();
      assert.equal(last.ending, "stopped: its prepaid time ran out");
      assert.equal(failure, null);
      assert.ok(resource < long.epochs, "not at its end");
      halted.set(trial, { fence: last.fence, resource });
    }
    assert.ok(
      [...halted.values()].some(({ resource }) => resource > 0),
      "with a checkpoint",
    );
    const { out } = await mesh.ok("one", "sweep", "show", sweep);
    assert.match(out, /^state +waiting: the budget of alice has [\d.]+ tokens left/m);
    const before = await account("alice");
    assert.deepEqual([before.granted, before.pending], [tokens(tooLittle), 0]);

    const granted = await mesh.ok("one", "budget", "grant", "alice", String(plenty));
    assert.equal(
      granted.out,
      `alice has been granted ${formatTokens(tokens(tooLittle + plenty))} tokens in all\n`,
    );
    const { summary, trials: ended } = await mesh.ended(sweep);
    assert.equal(summary.state, "done");
    assert.deepEqual(
      ended.map(({ state, resource }) => [state, resource]),
      Array(long.trials).fill(["completed", long.epochs]),
    );
    for (const [trial, { fence, resource }] of halted) {
      const attempts = ended.find((one) => one.trial === trial)?.attempts ?? [];
      const resumed = attempts[attempts.findIndex((attempt) => attempt.fence === fence) + 1];
      assert.equal(resumed?.fromResource, resource, `${trial} goes on from its checkpoint`);
    }
    const after = await account("alice");
    assert.deepEqual([after.pending, after.posted], [0, summary.spent]);
  });

  test("ESTIMATE-1: a sweep that cannot fit is refused with the figures, and with --beyond-budget it runs as far as the money goes", async () => {
    const options = { ...huge, name: "huge", seed: 2 };
    const refused = await mesh.launch("bob", options);
    assert.ok(!refused.ok);
    assert.equal(refused.refusal.code, "budget-empty");
    assert.match(
      refused.refusal.message,
      new RegExp(
        `^${huge.trials} trials will cost about [\\d.]+ tokens \\([\\d.]+ to [\\d.]+, from \\d+ past attempts\\), and there are ${formatTokens(tokens(plenty))} to spend; `,
      ),
    );
    const file = mesh.file({ ...options, name: "huge-by-hand" });
    const said = await mesh.refused("one", "sweep", "run", file, "--as", "bob");
    assert.equal(said, `trialmesh: ${refused.refusal.message}`);

    const sweep = valueOf(await mesh.launch("bob", options, { beyondBudget: true }));
    await mesh.trialThat(sweep, "a finished trial", ({ state }) => state === "completed");
    await mesh.ok("one", "sweep", "stop", sweep);
    assert.equal((await mesh.ended(sweep)).summary.state, "stopped");
  });

  test("BUDGET-4: a cap on each sweep of an account stops a sweep, with its sentence, though the account has more", async () => {
    const said = await mesh.ok("one", "budget", "set", "bob", "--per-sweep", String(cap));
    assert.match(said.out, /at most 4\.50 tokens a sweep\n$/);
    const options = { ...capped, name: "capped", seed: 3 };
    const sweep = valueOf(await mesh.launch("bob", options, { beyondBudget: true }));
    const { summary } = await waiting(sweep);
    assert.match(summary.waiting ?? "", /^its own cap has [\d.]+ tokens left, the next trial needs/);
    assert.ok(summary.spent > 0 && summary.spent <= tokens(cap), String(summary.spent));
    assert.ok((await account("bob")).available > tokens(cap));

    await mesh.ok("one", "budget", "set", "bob", "--no-per-sweep");
    assert.equal((await mesh.ended(sweep)).summary.state, "done");
  });

  test("BUDGET-5: a refill is set, shown with its next time, and refused where it cannot be", async () => {
    const flags = ["--refill", "5", "--every", "1m", "--up-to", "30"];
    const set = await mesh.ok("one", "budget", "set", "bob", ...flags);
    assert.match(set.out, /refill 5\.00 every 1m/);
    const { refill } = await account("bob");
    assert.deepEqual([refill?.amount, refill?.everyMs, refill?.upTo], [tokens(5), 60_000, tokens(30)]);
    assert.ok((refill?.nextAt ?? 0) > Date.now());
    const shown = await mesh.ok("one", "budget", "show", "bob");
    assert.match(shown.out, /^refill +5\.00 every 1m while less than 30\.0 is available, next /m);
    const { client } = await mesh.person("owner");
    const tooOften = await client.command("account-set", {
      requester: "bob",
      refill: { amount: tokens(5), everyMs: 1_000, upTo: tokens(30) },
    });
    assert.ok(!tooOften.ok);
    assert.match(tooOften.refusal.message, /everyMs/);
  });

  test("BUDGET-1: the journal, replayed from outside, never has posted + pending above granted at any entry", async (t) => {
    const most = new Map<string, Most>();
    const { events, state, violations } = await mesh.audit((_event, { accounts }) => {
      for (const { granted, pending, posted, requester } of accounts.values()) {
        assert.ok(posted + pending <= granted, requester);
        const share = granted === 0 ? 0 : (posted + pending) / granted;
        if (share > (most.get(requester)?.share ?? 0))
          most.set(requester, { granted, pending, posted, share });
      }
    });
    assert.deepEqual(violations, []);
    for (const requester of ["alice", "bob"]) {
      const { granted, pending, posted } = most.get(requester) ?? assert.fail(requester);
      t.diagnostic(
        `${requester}, nearest to the grant in ${events} events: ${posted} posted + ${pending} pending of ${granted} milli-tokens`,
      );
    }
    const alice = most.get("alice");
    assert.deepEqual(
      [alice?.granted, alice?.share],
      [tokens(tooLittle), 1],
      "all of it was in use, and no more",
    );
    for (const { attempts } of state.trials.values())
      for (const { ending, posted, reserved } of attempts) assert.ok(ending !== null && posted <= reserved);
  });
});
