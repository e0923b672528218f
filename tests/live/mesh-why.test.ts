/** Why trials do not run, asked on a live mesh over the command line. Not the wording of every case: see core. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { milliTokensPerToken } from "../../protocol/token.ts";
import { sweepWhyView, whyView, type WhyView } from "../../protocol/view.ts";
import { until, type CliProcess } from "../support/cli-mesh.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";

const timeout = 110_000;
/** Long enough that nothing ends while it is asked about. */
const endless = { trials: 4, epochs: 100, milliseconds: 2_000 };
const short = { trials: 2, epochs: 1, milliseconds: 100 };
const plenty = 5_000 * milliTokensPerToken;
/** Less than the shortest lease costs. */
const crumb = milliTokensPerToken / 2;

describe("WHY-1: three trials that wait, three answers", { skip: skipWithoutNats, timeout }, () => {
  const mesh = new LiveMesh();
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
      ["dave", 0.1, plenty],
    ] as const)
      valueOf(await client.command("account-open", { requester, weight, grant }));
    // Accepted, since no agent is known yet that could be compared with it.
    const needs = "needs: {gpu: {vendor: nvidia, count: 1}}\n";
    gpu = valueOf(await mesh.launch("ada", { ...short, name: "gpu", seed: 1, more: needs }));
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
    console.log(JSON.stringify(why), JSON.stringify(ofSweep), text);
  });

  test("one that waits for budget: what a start needs, what there is, and who could change that", async () => {
    poor = valueOf(await mesh.launch("bob", { ...short, name: "poor", seed: 2 }));
    const [why, ofSweep, text] = await Promise.all([ask(`${poor}-1`), askSweep(poor), asText(`${poor}-1`)]);
    console.log(JSON.stringify(why), JSON.stringify(ofSweep), text);
  });

  test("one behind another requester: who is ahead with how much, and when its turn will probably come", async () => {
    const { client } = await mesh.person("owner");
    // What cannot start is nobody's turn.
    for (const sweep of [gpu, poor]) valueOf(await client.command("sweep-stop", { sweep }));
    // Held back until both wait, so that each gets one of the two slots.
    const cordon = async (hold: boolean) => {
      for (const agent of ["one", "two"])
        valueOf(await client.command("agent-cordon", { agent, cordon: hold }));
    };
    await cordon(true);
    const dave = valueOf(await mesh.launch("dave", { ...endless, name: "behind", seed: 3 }));
    const carol = valueOf(await mesh.launch("carol", { ...endless, trials: 8, name: "ahead", seed: 4 }));
    const cordoned = await ask(`${dave}-1`);
    await cordon(false);
    await until("both to run", async () => {
      const views = await Promise.all([mesh.sweep(dave), mesh.sweep(carol)]);
      return views.every(({ summary }) => summary.counts.running === 1) ? true : null;
    });
    const waiting = await mesh.trialThat(dave, "a queued trial", ({ state }) => state === "queued");
    const [why, ofSweep, text] = await Promise.all([
      ask(waiting.trial),
      askSweep(dave),
      asText(waiting.trial),
    ]);
    console.log(JSON.stringify(cordoned));
    console.log(JSON.stringify(why), JSON.stringify(ofSweep), text);
  });

  test("one whose only agent has left: that it is not heard from", async () => {
    assert.equal(await two.end(), 0);
    await mesh.agentThat("two", ({ state }) => state === "silent");
    const needs = "needs: {labels: {room: cellar}}\n";
    const sweep = valueOf(await mesh.launch("ada", { ...short, name: "room", seed: 5, more: needs }));
    const [why, text] = await Promise.all([ask(`${sweep}-1`), asText(`${sweep}-1`)]);
    console.log(JSON.stringify(why), text);
  });
});
