/** `trialmesh serve` on a real mesh: trained, registered, served; an alias is moved under load and nobody notices but by the version. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import * as z from "zod";
import { versionPath } from "../../data/version/local-version.ts";
import { CliMesh, type CliProcess } from "../support/cli-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

const run = promisify(execFile);
const sweep = (seed: number) => `name: served
task: text-classification
dataset: language-id
objective: {metric: accuracy, goal: maximize}
search: {method: random, trials: 1, seed: ${seed}}
stopping: {policy: none, max: 1}
models: {linear: {}}
register: {model: served, alias: ${seed === 1 ? "champion" : "challenger"}}
`;
const answerSchema = z.looseObject({ version: z.number(), label: z.string(), answer: z.string() });

describe("SERVE-14: a mesh's model is served and follows its alias", { skip: skipWithoutNats }, () => {
  const mesh = new CliMesh();
  let serving: CliProcess;
  let url = "";

  before(async () => {
    const up = mesh.start("one", "up", "--port", "0", "--name", "one", "--slots", "1");
    await up.saidLine(/mesh mesh is up/);
    for (const seed of [1, 2]) {
      const { code, err } = await mesh.runProcess(
        "one",
        "sweep",
        "run",
        mesh.write(`served-${seed}.yaml`, sweep(seed)),
      );
      assert.equal(code, 0, err);
    }
    serving = mesh.start("one", "serve", "served@champion", "--listen", "127.0.0.1:0");
    url = await serving.saidLine(/serving at (\S+)/);
  });
  after(() => mesh.close());

  async function ask(text: string) {
    const answer = await fetch(`${url}/predict/served`, { method: "POST", body: JSON.stringify({ text }) });
    assert.equal(answer.status, 200);
    return answerSchema.parse(await answer.json());
  }

  test("an alias is moved to and fro under load: no request fails, each names the version that gave it", async () => {
    const seen = new Map<number, string>();
    let isOver = false;
    let last = 0;
    const caller = async () => {
      while (!isOver) {
        const { label, version } = await ask("guten Morgen");
        assert.equal(label, seen.get(version) ?? label);
        seen.set(version, label);
        last = version;
      }
    };
    const callers = Promise.all(Array.from({ length: 4 }, caller));
    try {
      for (const version of [2, 1, 2]) {
        const { code, err } = await mesh.run("one", "model", "promote", `served@${version}`, "champion");
        assert.equal(code, 0, err);
        const taken = until(`version ${version}`, (note) => {
          note(last);
          return last === version ? true : null;
        });
        await Promise.race([taken, callers]);
      }
    } finally {
      isOver = true;
    }
    await callers;
    assert.deepEqual(
      [...seen.keys()].sort((a, b) => a - b),
      [1, 2],
    );
  });

  test("REG-9: what served it has told an example of its own data and what answering takes, and a promotion goes by them", async () => {
    const factSchema = z.looseObject({
      version: z.looseObject({
        example: z.looseObject({ row: z.record(z.string(), z.unknown()) }).optional(),
        measured: z.looseObject({ rowUs: z.number(), memoryBytes: z.number(), at: z.number() }).optional(),
      }),
    });
    for (const version of [1, 2]) {
      const { example, measured } = await until(`what is known of version ${version}`, async (note) => {
        const { out } = await mesh.run("one", "model", "show", `served@${version}`, "--json");
        const known = factSchema.parse(JSON.parse(out)).version;
        note(known);
        return known.example === undefined || known.measured === undefined ? null : known;
      });
      assert.ok(String(example?.row["text"]).length > 0);
      assert.ok(measured !== undefined && measured.rowUs > 0 && measured.memoryBytes > 0);
      const shown = await mesh.run("one", "model", "show", `served@${version}`);
      assert.match(shown.out, /measured +\S+ µs a row alone, \S+ µs in batches of 32, .* in memory; on /);
    }
    const moved = await mesh.run("one", "model", "promote", "served@2", "tried");
    assert.match(moved.err, /answers: ".*" -> .*, as it was recorded/);
  });

  test("SERVE-2: the id of an answer leads to what its version is made of", async () => {
    const { answer, version } = await ask("bonjour");
    const { code, out } = await mesh.run("one", "model", "lineage", answer, "--json");
    assert.equal(code, 0);
    assert.equal(
      z.looseObject({ version: z.looseObject({ version: z.number() }) }).parse(JSON.parse(out)).version
        .version,
      version,
    );
  });

  test("what cannot be served or listened on is refused with a sentence", async () => {
    const wrong: readonly (readonly [RegExp, ...string[]])[] = [
      [/no model/, "none@champion"],
      [/--key-file/, "served@champion", "--listen", "0.0.0.0:0"],
      [/another program listens/, "served@champion", "--listen", url.replace("http://", "")],
      [/belong together/, "served@champion", "--tls-cert", "a.pem"],
    ];
    for (const [sentence, ...words] of wrong) {
      const { code, err } = await mesh.runProcess("one", "serve", ...words);
      assert.equal(code, 1, err);
      assert.match(err, sentence);
    }
  });

  test("SERVE-11: beyond this machine it answers over TLS that the mesh vouches for, whoever has a key", async () => {
    const keys = mesh.write("keys.txt", "alice 0123456789abcdef\n");
    const safe = mesh.start("one", "serve", "served@champion", "--listen", "0.0.0.0:0", "--key-file", keys);
    const port = await safe.saidLine(/serving at https:\/\/0\.0\.0\.0:(\d+)/);
    const authority = await safe.saidLine(/callers believe it by (\S+)/);
    const ask = (...words: readonly string[]) =>
      run("curl", ["-s", ...words, `https://localhost:${port}/predict/served`, "-d", '{"text": "hola"}']);
    const { stdout } = await ask("--cacert", authority, "-H", "authorization: Bearer 0123456789abcdef");
    assert.ok(answerSchema.parse(JSON.parse(stdout)).version > 0);
    const unknown = await ask("--cacert", authority);
    assert.match(unknown.stdout, /a key is needed/);
    await assert.rejects(ask(), "a certificate of nobody's was believed");
    assert.equal(await safe.end("SIGTERM"), 0);
  });

  test("SERVE-10: SIGTERM ends it", async () => {
    assert.equal(await serving.end("SIGTERM"), 0);
    // What it was asked is kept, and compares with what it was trained on.
    const profile = join(mesh.folder, "one", "serving-profiles", "served@2.json");
    const shown = await mesh.run("one", "model", "show", "served@2", "--json");
    const { dataset } = z
      .looseObject({ version: z.looseObject({ dataset: z.looseObject({ digest: z.string() }) }) })
      .parse(JSON.parse(shown.out)).version;
    const trainedOn = versionPath(mesh.environment("one"), dataset.digest);
    const { code, err, out } = await mesh.run(
      "one",
      ...["dataset", "diff", trainedOn, "--serving", profile, "--json"],
    );
    assert.ok(code === 0 || code === 1, err);
    const diff = z
      .looseObject({ a: z.looseObject({ rows: z.number() }), b: z.looseObject({ seen: z.number() }) })
      .parse(JSON.parse(out));
    assert.ok(diff.a.rows > 0 && diff.b.seen > 0);
    const wrong = await mesh.run("one", "dataset", "diff", "language-id");
    assert.match(wrong.err, /two things are compared/);
  });
});
