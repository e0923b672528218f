/** Why trials do not run, asked on a live mesh over the command line. Not the wording of every case: see core. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { milliTokensPerToken } from "../../protocol/token.ts";
import { sweepWhyView, whyView, type WhyView } from "../../protocol/why-view.ts";
import type { CliProcess } from "../support/cli-mesh.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

/** So many of these are ahead of `behind` that they do not end while it is asked about. */
const ahead = { name: "ahead", trials: 200, epochs: 1, milliseconds: 2_500, seed: 4 };
const behind = { name: "behind", trials: 4, epochs: 1, milliseconds: 2_500, seed: 3 };
const short = { trials: 2, epochs: 1, milliseconds: 100 };
const needsGpu = "needs: {gpu: {vendor: nvidia, count: 1}}\n";
const plenty = 5_000 * milliTokensPerToken;
const leaseMs = 8_000;
/** What the shortest lease costs: the fourth part of one. */
const least = 2 * milliTokensPerToken;
const crumb = milliTokensPerToken / 2;

describe("WHY-1: three trials that wait, three answers", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh(leaseMs);
  let two: CliProcess;
  let gpu: string;
  let poor: string;

  before(async () => {
    await mesh.up("--port", "0", "--no-agent");
    const { client } = await mesh.person("owner");
    for (const [requester, weight, grant] of [
      ["ada", 1, plenty],
      ["bob", 1, crumb],
      ["carol", 1, plenty],
      ["dave", 0.005, plenty],
    ] as const)
      valueOf(await client.command("account-open", { requester, weight, grant }));
    // Accepted, since no agent is known yet that could be compared with it.
    gpu = valueOf(await mesh.launch("ada", { ...short, name: "gpu", seed: 1, more: needsGpu }));
  });
  after(() => mesh.close());

  const ask = async (trial: string) => {
    const { out } = await mesh.ok("one", "trial", "why", trial, "--json");
    return whyView.parse(JSON.parse(out));
  };
  const askSweep = async (sweep: string) => {
    const { out } = await mesh.ok("one", "sweep", "why", sweep, "--json");
    return sweepWhyView.parse(JSON.parse(out));
  };
  const asText = async (trial: string) => (await mesh.ok("one", "trial", "why", trial)).out;
  const reasonsOf = ({ agents }: Pick<WhyView, "agents">) =>
    Object.fromEntries(agents.map(({ agent, fits, reasons }) => [agent, [fits, ...reasons]]));

  test("with no agent at all it says so, and foresees nothing", async () => {
    const why = await ask(`${gpu}-1`);
    assert.equal(why.sentence, "No agent has joined the mesh yet.");
    assert.deepEqual([why.agents, why.start.at], [[], null]);
  });

  test("a trial that needs a GPU nobody has: each agent with what it lacks, and nothing foreseen", async () => {
    [, two] = await Promise.all([
      mesh.joinAgent("one", "--slots", "1"),
      mesh.joinAgent("two", "--slots", "1", "--label", "room=cellar"),
    ]);
    const [why, ofSweep, text] = await Promise.all([ask(`${gpu}-1`), askSweep(gpu), asText(`${gpu}-1`)]);
    const lacks = "gpu: needs 1 nvidia GPU, has no GPU";
    assert.match(why.sentence, new RegExp(`^No agent fits; the nearest is (one|two): ${lacks}\\.$`));
    assert.deepEqual(reasonsOf(why), { one: [false, lacks], two: [false, lacks] });
    assert.equal(why.budget.short, 0, "money is not what it lacks");
    assert.deepEqual(why.start, { at: null, because: "when an agent that fits joins or opens" });
    assert.equal(ofSweep.sentence, "Nothing of it runs: no agent that is present fits noop.");
    assert.deepEqual(
      ofSweep.models.map((model) => [model.queued, model.running, reasonsOf(model)]),
      [[1, 0, reasonsOf(why)]],
    );
    assert.ok(text.startsWith(`${gpu}-1 is queued: ${why.sentence}\n`));
    for (const agent of ["one", "two"]) assert.match(text, new RegExp(`^${agent} +no +${lacks}$`, "m"));
    assert.match(text, /^starts +nobody can say: when an agent that fits joins or opens$/m);

    // Now that agents are known, the like of it is told at launch.
    const again = await mesh.launch("ada", { ...short, name: "gpu-again", seed: 6, more: needsGpu });
    assert.ok(!again.ok);
    assert.match(
      again.refusal.message,
      new RegExp(`^no known agent can run noop/noop; the nearest is (one|two), which lacks ${lacks}$`),
    );
  });

  test("one that waits for budget: what a start needs, what there is, and who could change that", async () => {
    poor = valueOf(await mesh.launch("bob", { ...short, name: "poor", seed: 2 }));
    const [why, ofSweep, text] = await Promise.all([ask(`${poor}-1`), askSweep(poor), asText(`${poor}-1`)]);
    assert.equal(why.sentence, "It waits for budget: bob has 0.50 tokens to spend, a start needs 2.00.");
    assert.deepEqual(reasonsOf(why), { one: [true], two: [true] }, "both fit, and are free");
    const { available, needed, short: lack } = why.budget;
    assert.deepEqual([available, needed, lack], [crumb, least, least - crumb]);
    assert.deepEqual(why.start, { at: null, because: "when bob is granted more tokens" });
    assert.equal(
      ofSweep.sentence,
      "Nothing of it runs: the budget of bob has 0.50 tokens left, the next trial needs 2.00.",
    );
    assert.equal(ofSweep.models[0]?.sentence, why.sentence);
    assert.ok(text.startsWith(`${poor}-1 is queued: ${why.sentence}\n`));
    assert.match(text, /^tokens +2\.00 needed for a start, 0\.50 available, 1\.50 short$/m);
  });

  test("one behind another requester: who is ahead with how much, and when its turn will probably come", async () => {
    const { client } = await mesh.person("owner");
    // What cannot start is nobody's turn.
    for (const sweep of [gpu, poor]) valueOf(await client.command("sweep-stop", { sweep }));
    // Held back until both wait, so that each gets one of the two slots.
    const cordon = async (hold: boolean) => {
      for (const agent of ["one", "two"]) await mesh.cordon(agent, hold);
    };
    await cordon(true);
    const dave = valueOf(await mesh.launch("dave", behind));
    const carol = valueOf(await mesh.launch("carol", ahead));
    const cordoned = await ask(`${dave}-1`);
    const withheld = [false, "cordoned: it takes no new trials"];
    assert.deepEqual(reasonsOf(cordoned), { one: withheld, two: withheld });
    await cordon(false);
    await until("what a trial of each costs", async () => {
      const views = await Promise.all([mesh.sweep(dave), mesh.sweep(carol)]);
      return views.every(({ summary }) => summary.counts.completed > 0) ? true : null;
    });
    const asked = Date.now();
    const waiting = await mesh.trialThat(dave, "a queued trial", ({ state }) => state === "queued");
    const [why, ofSweep, text] = await Promise.all([
      ask(waiting.trial),
      askSweep(dave),
      asText(waiting.trial),
    ]);
    assert.equal(why.sentence, "Every agent that fits is busy, behind carol in the fair order.");
    const busy = [true, "all 1 slots busy"];
    assert.deepEqual(reasonsOf(why), { one: busy, two: busy });
    assert.deepEqual(
      why.ahead.map(({ requester, queued }) => [requester, queued > 0]),
      [["carol", true]],
    );
    assert.equal(why.budget.short, 0);
    assert.match(why.start.because, /^\d+ trials are served before it, on 2 slots that fit$/);
    assert.ok((why.start.at ?? 0) > asked, "a time to come");
    assert.match(ofSweep.sentence, /^Nothing of it runs: every agent that fits is busy\.$/);
    assert.equal(ofSweep.models[0]?.sentence, why.sentence);
    assert.ok(text.startsWith(`${waiting.trial} is queued: ${why.sentence}\n`));
    assert.match(text, /^ahead +in the fair order carol \(\d+ trials?\); no other sweep of its requester$/m);
    assert.match(text, /^starts +\d\d:\d\d:\d\d, in .+: \d+ trials are served before it, on 2 slots/m);
  });

  test("one whose only agent has left: that it is not heard from", async () => {
    assert.equal(await two.end(), 0);
    await mesh.agentThat("two", ({ state }) => state === "silent");
    const needs = "needs: {labels: {room: cellar}}\n";
    const sweep = valueOf(await mesh.launch("ada", { ...short, name: "room", seed: 5, more: needs }));
    const [why, text] = await Promise.all([ask(`${sweep}-1`), asText(`${sweep}-1`)]);
    const away = reasonsOf(why)["two"] ?? [];
    assert.deepEqual(away.slice(0, 2), [false, "not present: nothing heard from it"]);
    assert.deepEqual(reasonsOf(why)["one"], [false, "labels.room: needs cellar, has not set"]);
    assert.match(why.sentence, /^No agent fits; the nearest is (one|two): /);
    assert.match(text, /^two +no +not present: nothing heard from it/m);
  });
});
