/** Datasets on a live mesh over the command line: built by an agent once, the same everywhere, a gate before any token. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { until } from "../support/until.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";

const addedSchema = z.object({
  version: z.number(),
  added: z.boolean(),
  digest: z.string(),
  trial: z.string().nullable(),
});

const rows = Array.from({ length: 120 }, (_, row) => {
  const [label, word] = row % 2 === 0 ? ["good", "sunny"] : ["bad", "rainy"];
  return `${label},"a ${word} day, number ${String.fromCodePoint(0x4e00 + row)}"`;
});
const declared = (name: string, more = "") => `name: ${name}
sources: [{ path: ${name}.csv }]
plan:
  - clean: { columns: [text], whitespace: true }
  - split: { train: 0.8, validation: 0.1, test: 0.1, stratify: label }
text: text
label: label
${more}`;
const sweep = (dataset: string) => `name: days
task: text-classification
dataset: ${dataset}
gate: true
search: { method: random, trials: 2, seed: 1 }
stopping: { policy: none, max: 2 }
models: { linear: {} }
`;

describe("datasets", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  before(async () => {
    mesh.cli.write("days.csv", ["label,text", ...rows, ""].join("\n"));
    // The same text under two labels, which nobody could learn.
    const torn = ['good,"one text"', 'bad,"One  text"'];
    mesh.cli.write("torn.csv", ["label,text", ...rows, ...torn, ""].join("\n"));
    await mesh.up("--port", "0", "--slots", "1");
    await mesh.agentThat("one", ({ state }) => state === "present");
  });
  after(() => mesh.close());

  const add = async (file: string, ...flags: readonly string[]) => {
    const { out } = await mesh.ok("one", "dataset", "add", file, "--json", ...flags);
    return addedSchema.parse(JSON.parse(out));
  };
  const spent = async () => {
    const { client } = await mesh.person("owner");
    const budget = await client.query("budget", { requester: "owner" });
    assert.ok(budget.ok);
    return budget.value.accounts[0]?.posted ?? 0;
  };

  test("BUILD-1: an agent builds it, a second time costs nothing, and built here it is the same to the byte", async () => {
    const file = mesh.cli.write("days.yaml", declared("days"));
    const first = await add(file);
    assert.deepEqual([first.version, first.added, first.trial], [1, true, "s1-1"]);
    const before = await spent();
    const again = await add(file);
    assert.deepEqual([again.version, again.added, again.digest], [1, false, first.digest]);
    assert.equal(await spent(), before);
    const { out } = await mesh.ok(
      "one",
      "dataset",
      "add",
      mesh.cli.write("twin.yaml", declared("days")),
      "--here",
      "--json",
    );
    assert.equal(addedSchema.parse(JSON.parse(out)).digest, first.digest);
  });

  test("BUILD-1: what is on record is not brought here again, but where its rows are asked for, which is said", async () => {
    const bytesHere = () =>
      readdirSync(cache, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".parquet"));
    const cache = join(mesh.cli.folder, "empty-cache");
    const file = mesh.cli.write("days.yaml", declared("days"));
    const strict = mesh.cli.write(
      "strict.yaml",
      declared("days", "expect:\n  - not-null: { column: text }\n"),
    );
    const before = mesh.cli.ofHome.get("one");
    mesh.cli.ofHome.set("one", { ...before, TRIALMESH_CACHE: cache });
    try {
      const known = await mesh.ok("one", "dataset", "add", file);
      assert.match(
        known.out,
        /^days@1 was on record already: 96 train, 12 validation, 12 test rows, .* built by s1-1$/m,
      );
      assert.ok(!existsSync(cache) || bytesHere().length === 0, "nothing was brought here");
      const asked = await mesh.ok("one", "dataset", "add", strict);
      assert.match(asked.err, /days: [\d.]+ KiB come from the mesh, to check what is expected of its rows/);
      assert.match(asked.out, /1 of 1 expectation hold/);
      assert.equal(bytesHere().length, 1);
      const again = await mesh.ok("one", "dataset", "add", strict);
      assert.doesNotMatch(again.err, /come from the mesh/);
    } finally {
      mesh.cli.ofHome.delete("one");
    }
  });

  test("DSET-4: the command is killed while an agent builds: the version is recorded all the same, with its check", async () => {
    // Enough that the build and its check take seconds: it is still under way when the command dies.
    const many = Array.from({ length: 30_000 }, (_, row) => {
      const [label, word] = row % 2 === 0 ? ["good", "sunny"] : ["bad", "rainy"];
      return `${label},"a ${word} day of week ${row} and ${(row * 7919) % 30_011}"`;
    });
    const torn = ['good,"one text"', 'bad,"One  text"'];
    mesh.cli.write("years.csv", ["label,text", ...many, ...torn, ""].join("\n"));
    const file = mesh.cli.write("years.yaml", declared("years", "expect: [no-conflicts, no-leakage]\n"));
    const { client } = await mesh.person("owner");
    const command = mesh.start("one", "dataset", "add", file);
    const sweep = await until("the build's sweep", async () => {
      const { sweeps } = valueOf(await client.query("sweeps", { limit: 1 }));
      return sweeps.find(({ name }) => name === "years")?.sweep ?? null;
    });
    await mesh.trialThat(sweep, "the build to run", ({ attempts }) => attempts.at(-1)?.state === "running");
    await command.end("SIGKILL");
    const [trial] = (await mesh.sweep(sweep)).trials;
    assert.equal(trial?.state, "running", "killed before it ended");
    await mesh.ended(sweep);
    const { versions } = valueOf(await client.query("dataset", { dataset: "years" }));
    const [version] = versions;
    assert.deepEqual(
      [versions.length, version?.version, version?.by, version?.trial, version?.check.failed],
      [1, 1, "owner", `${sweep}-1`, 1],
    );
    assert.match(version?.check.sentences[0] ?? "", /years\.csv:3000[23]/u);
    const { out } = await mesh.cli.run("one", "dataset", "add", file, "--json");
    const again = addedSchema.parse(JSON.parse(out));
    assert.deepEqual([again.version, again.added, again.trial], [1, false, `${sweep}-1`]);
    const after = valueOf(await client.query("dataset", { dataset: "years" }));
    assert.deepEqual(after.versions, versions, "what the command finds is what the agent found");
  });

  test("BUILD-2: a build that cannot succeed fails once, with its sentence, and is not tried again", async () => {
    const file = mesh.cli.write(
      "none.yaml",
      declared("days").replace("plan:", 'plan:\n  - filter: { where: "length(text) > 900" }'),
    );
    const { code, err } = await mesh.cli.run("one", "dataset", "add", file);
    assert.equal(code, 1);
    assert.match(err, /dataset days was not built: step 1 \(filter\) leaves no row of the 120/u);
    const { client } = await mesh.person("owner");
    const sweeps = await client.query("sweeps", { limit: 1 });
    const id = sweeps.ok ? (sweeps.value.sweeps[0]?.sweep ?? "") : "";
    const view = await client.query("sweep", { sweep: id });
    assert.equal(view.ok ? view.value.trials[0]?.attempts.length : 0, 1);
  });

  test("DSET-2: a sweep behind a gate that does not hold is refused with the rows, and nothing is spent", async () => {
    const file = mesh.cli.write("torn.yaml", declared("torn", "expect: [no-conflicts]\n"));
    const checked = await mesh.cli.run("one", "dataset", "add", file);
    assert.equal(checked.code, 1, "added, and its check says so");
    const before = await spent();
    const { code, err } = await mesh.cli.run(
      "one",
      "sweep",
      "run",
      mesh.cli.write("torn-sweep.yaml", sweep("torn")),
    );
    assert.equal(code, 1);
    assert.match(err, /torn@1 fails 1 of its expectations[\s\S]*torn\.csv:12[23]/u);
    assert.equal(await spent(), before);
    const run = await mesh.ok("one", "sweep", "run", mesh.cli.write("days-sweep.yaml", sweep("days@1")));
    assert.match(run.out, /best/u);
  });
});
