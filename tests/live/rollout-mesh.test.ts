/** `trialmesh serve --canary` on a real mesh: two registered versions, one of them bad; it is taken back, and the alias's ledger says why. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { CliMesh, type CliProcess } from "../support/cli-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

/** The second is trained with steps so small that it has learnt nothing. */
const sweep = (at: number) => `name: tried
task: text-classification
dataset: language-id
objective: {metric: accuracy, goal: maximize}
search: {method: random, trials: 1, seed: 1}
stopping: {policy: none, max: 1}
models: {linear: {${at === 1 ? "" : "lr: 0.0001"}}}
register: {model: tried, alias: ${at === 1 ? "champion" : "challenger"}}
`;
const answerSchema = z.looseObject({ version: z.number() });
const modelSchema = z.looseObject({
  aliases: z.array(z.looseObject({ alias: z.string(), version: z.number() })),
  ledger: z.array(
    z.looseObject({ alias: z.string(), from: z.number().nullable(), to: z.number(), why: z.string() }),
  ),
});

describe("ROLL-8: a bad canary is taken back on a real mesh", { skip: skipWithoutNats }, () => {
  const mesh = new CliMesh();
  let serving: CliProcess;
  let url = "";

  before(async () => {
    const up = mesh.start("one", "up", "--port", "0", "--name", "one", "--slots", "1");
    await up.saidLine(/mesh mesh is up/);
    for (const at of [1, 2]) {
      const file = mesh.write(`tried-${at}.yaml`, sweep(at));
      const { code, err } = await mesh.runProcess("one", "sweep", "run", file);
      assert.equal(code, 0, err);
    }
  });
  after(() => mesh.close());

  async function served(...words: readonly string[]): Promise<void> {
    serving = mesh.start("one", "serve", "tried@champion", "--listen", "127.0.0.1:0", ...words);
    url = await serving.saidLine(/serving at (\S+)/);
  }

  async function model() {
    const { code, out } = await mesh.run("one", "model", "show", "tried", "--json");
    assert.equal(code, 0);
    return modelSchema.parse(JSON.parse(out));
  }

  async function askedUntil(version: number): Promise<void> {
    let count = 0;
    await until(`version ${version} alone answers`, async (note) => {
      const versions = new Set<number>();
      for (let at = 0; at < 40; at++) {
        const text = `wo ist Nummer ${++count}`;
        const answer = await fetch(`${url}/predict/tried`, {
          method: "POST",
          body: JSON.stringify({ text }),
        });
        assert.equal(answer.status, 200);
        versions.add(answerSchema.parse(await answer.json()).version);
      }
      note(count);
      return versions.size === 1 && versions.has(version) ? true : null;
    });
  }

  test("it answers its share, is found worse, answers nobody then, and its alias goes back with the figures", async () => {
    await served("--canary", "tried@challenger=20%");
    await serving.saidLine(/tried@2 takes 20% of what is asked of tried@champion, beside tried@1/);
    await askedUntil(1);
    await serving.saidLine(/tried@2 is taken back and answers nobody any more/);
    const { aliases, ledger } = await until("the alias is back", async () => {
      const shown = await model();
      return shown.aliases.some(({ alias, version }) => alias === "canary" && version === 1) ? shown : null;
    });
    assert.ok(aliases.some(({ alias, version }) => alias === "champion" && version === 1));
    const moves = ledger
      .filter(({ alias }) => alias === "canary")
      .map(({ from, to, why }) => ({ from, to, why }));
    assert.deepEqual(
      moves.map(({ from, to }) => [from, to]),
      [
        [null, 2],
        [2, 1],
      ],
    );
    assert.match(moves[1]?.why ?? "", /^taken back: it agreed with the incumbent on \d+\.\d% of \d+ answers/);
    assert.equal(await serving.end("SIGTERM"), 0);
  });

  test("whoever moves the alias canary by hand ends the trial of a server that runs", async () => {
    await served("--canary", "tried@2=100%", "--min-agreement", "0");
    await until("it is recorded", async () => {
      const { aliases } = await model();
      return aliases.some(({ alias, version }) => alias === "canary" && version === 2) ? true : null;
    });
    const { code, err } = await mesh.run("one", "model", "promote", "tried@1", "canary");
    assert.equal(code, 0, err);
    await serving.saidLine(/somebody moved tried@canary to version 1/);
    await askedUntil(1);
    assert.equal(await serving.end("SIGTERM"), 0);
  });

  test("--promote-after moves the champion, which the server follows", async () => {
    await served("--canary", "tried@2=50%", "--min-agreement", "0", "--promote-after", "100");
    await askedUntil(2);
    const { aliases, ledger } = await model();
    assert.ok(aliases.some(({ alias, version }) => alias === "champion" && version === 2));
    assert.match(
      ledger.findLast(({ alias }) => alias === "champion")?.why ?? "",
      /^1\d\d requests were answered beside the incumbent without enough evidence against it/,
    );
    assert.equal(await serving.end("SIGTERM"), 0);
  });

  test("what cannot be a canary is refused with a sentence", async () => {
    const wrong: readonly (readonly [RegExp, ...string[]])[] = [
      [/trec@7=10%/, "--canary", "tried@2"],
      [/above 0 and at most 100/, "--canary", "tried@2=0%"],
      [/above 0 and at most 100/, "--canary", "tried@2=101%"],
      [/no version 9|has no version/, "--canary", "tried@9=10%"],
      [/above 0 and at most 0.5/, "--canary", "tried@1=10%", "--alpha", "0"],
    ];
    for (const [sentence, ...words] of wrong) {
      const { code, err } = await mesh.runProcess(
        "one",
        "serve",
        "tried@champion",
        "--listen",
        "127.0.0.1:0",
        ...words,
      );
      assert.notEqual(code, 0);
      assert.match(err, sentence);
    }
  });
});
