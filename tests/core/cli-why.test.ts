/** Why something waits, and what a sweep would cost, in the command line's words. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { agentsText } from "../../cli/print/agents-text.ts";
import { estimateText } from "../../cli/print/estimate-text.ts";
import { sweepWhyText, trialWhyText } from "../../cli/print/why-text.ts";
import { agentFixture, fixtureNow, meshFixture } from "../support/view-fixture.ts";
import { estimateFixture, sweepWhyFixture, whyFixture } from "../support/why-fixture.ts";

/** This machine's clock is an hour before the leader's. */
const now = { present: fixtureNow, own: fixtureNow - 3_600_000 };

describe("WHY-1: one answer names the failed predicate of every agent, the money, who is ahead, and the start", () => {
  const text = trialWhyText(whyFixture("s1-7"), now);
  const expected: readonly RegExp[] = [
    /^s1-7 is queued: It waits for a free slot/,
    /^laptop +no +owner's hours are 22:00-07:00$/m,
    /^attic +yes +all 2 slots busy$/m,
    /^tokens +5\.00 needed for a start, 300\.0 available$/m,
    /^ahead +in the fair order bo \(3 trials\); of its requester s9 \(2 trials, priority 5\)$/m,
    /^in its sweep +4 trials before it$/m,
    /^starts +.*, in about 4 min: 9 trials are served before it, on 2 slots that fit$/m,
  ];
  for (const each of expected) test(String(each), () => assert.match(text, each));

  test("the start is said by this machine's clock, whatever the leader's shows", () => {
    const start = new Date(now.own + 240_000);
    const minutes = String(start.getMinutes()).padStart(2, "0");
    assert.match(text, new RegExp(`^starts +.*${start.getHours()}:${minutes}:00, in about`, "m"));
  });

  test("the shortfall, and that nobody can say when", () => {
    const short = trialWhyText(
      whyFixture("s1-7", {
        budget: { available: 1_000, needed: 5_000, short: 4_000, limit: "account" },
        start: { at: null, because: "when ada is granted more tokens" },
      }),
      now,
    );
    assert.match(short, /^tokens +5\.00 needed for a start, 1\.00 available, 4\.00 short$/m);
    assert.match(short, /^starts +nobody can say: when ada is granted more tokens$/m);
  });

  test("what does not wait gets its sentence and no place in an order", () => {
    const running = whyFixture("s1-7", { state: "running", sentence: "It runs on attic." });
    assert.equal(trialWhyText(running, now), "s1-7 is running: It runs on attic.");
  });

  test("a sweep, model by model, with the agents of those that wait", () => {
    const sweep = sweepWhyText(sweepWhyFixture("s1"), now);
    assert.match(sweep, /^textcnn: 3 queued, 0 running\. No agent fits; the nearest is attic: no gpu\.$/m);
    assert.match(sweep, /^ {2}attic +no +no gpu$/m);
    assert.match(sweep, /^starts +.*in about 4 min/m);
  });
});

describe("an estimate", () => {
  test("has a row for each model, and says what nothing is known of", () => {
    const text = estimateText(estimateFixture());
    assert.match(text, /^linear +5\.00 +10\.0 +20\.0 +\[.*\] +40 past attempts$/m);
    assert.match(text, /^fasttext +15\.0 +50\.0 +160\.0 +\[.*\|.*\] +the agents' probes$/m);
    assert.match(text, /^textcnn +unknown +unknown +unknown +nothing known yet$/m);
    assert.doesNotMatch(text, /^all /m, "no sum where a part of it is unknown");
  });
});

describe("agents", () => {
  const mesh = meshFixture([
    agentFixture("attic", {
      state: "cordoned",
      measured: [
        { kind: "text-classification/linear", claimed: 40, trusted: 4.1, attempts: 12 },
        { kind: "text-classification/fasttext", claimed: 1.25, trusted: 1.2500001, attempts: 3 },
      ],
    }),
    agentFixture("desk", {
      state: "closed",
      closed: "suspended: the owner is here",
      owner: { stance: "suspended", reason: "the owner is here", idleSource: "logind", idleMs: 3_000 },
    }),
  ]);
  const text = agentsText(mesh);
  test("RATE-3: a speed that trials do not bear out is shown beside its claim, one that they do is not", () => {
    assert.match(
      text,
      /^attic, text-classification\/linear: claims 40, measured 4\.1 tokens\/s over 12 attempts; priced at 4\.1$/m,
    );
    assert.doesNotMatch(text, /fasttext: claims/);
  });
  test("PROBE-13: a speed that was measured while others used the machine is said to be", () => {
    const [first, ...others] = mesh.agents;
    assert.ok(first !== undefined);
    const backends = first.backends.map((one, index) => ({ ...one, load: index === 0 ? 0.634 : 0.2 }));
    const loaded = agentsText({ agents: [{ ...first, backends }, ...others] });
    const name = first.backends.map((one) => one.name).join(", ");
    assert.match(
      loaded,
      new RegExp(
        `^${first.agent}, ${name}: measured while others used 63% of the processors; it is measured again once the machine is idle$`,
        "m",
      ),
    );
    assert.doesNotMatch(text, /while others used/);
  });
  test("a cordon, and what the owner's policy makes of the moment", () => {
    assert.match(text, /^attic +cordoned \(takes no new trials\)/m);
    assert.match(text, /^desk +suspended +/m);
    assert.match(text, /^desk is suspended: the owner is here \(last input 3 s ago, by logind\)$/m);
  });
});
