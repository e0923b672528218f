/** Serving profiles on disk and over HTTP: kept from start to start and beside each other, said in metrics, compared with data; and what is expected. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { diffServing } from "../../client/model/diff-serving.ts";
import { ProfileKeeper, type Reference } from "../../client/serve/profile-keeper.ts";
import { serveModels } from "../../client/serve/serve-models.ts";
import { trainingReference } from "../../client/model/training-reference.ts";
import { expectationSchema, type Expectation } from "../../data/expectation/expectation.ts";
import { withRawVersion } from "../../data/quality/raw-version.ts";
import { checkRows } from "../../data/expectation/row-check.ts";
import { accept } from "../../protocol/refusal.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import { servingProfileSchema } from "../../serving/profile/serving-profile.ts";
import { ServingWatch } from "../../serving/profile/serving-watch.ts";
import { WatchedExpectations } from "../../serving/profile/watched-expectation.ts";
import { buildFolder, built, put } from "../support/dataset-build.ts";
import { standInAnswer, tableModel, textModel } from "../support/stand-in-model.ts";

const home = mkdtempSync(join(tmpdir(), "trialmesh-profile-"));
after(() => rmSync(home, { recursive: true, maxRetries: 5 }));
let folders = 0;
const newFolder = () => join(home, String(++folders));

/** One server's part in it: what it watches, and the keeper that keeps it. */
function server(folder: string | null, model: ServedModel = textModel(), reference: Reference | null = null) {
  const said: string[] = [];
  const keeper = new ProfileKeeper({ folder, say: (line) => void said.push(line) });
  const watch = new ServingWatch({
    ...{ title: `${model.model}@${model.version}`, signature: model.signature, known: new Map() },
    expectations: null,
    now: () => performance.now(),
    wallNow: Date.now,
  });
  const end = keeper.watch(model, watch, () => Promise.resolve(reference));
  const ask = (...texts: readonly string[]) => {
    const probabilities = Float32Array.from(texts.flatMap((text) => standInAnswer(text)));
    watch.see({ kind: "texts", count: texts.length, texts }, { kind: "labels", probabilities });
  };
  return { keeper, watch, said, ask, end };
}

function fileOf(folder: string) {
  return servingProfileSchema.parse(JSON.parse(readFileSync(join(folder, "trec@7.json"), "utf8")));
}

describe("SERVE-18: profiles are kept", () => {
  test("from one start to the next, and of several servers of one home together", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(2), fc.nat(4)), { minLength: 1, maxLength: 12 }),
        async (steps) => {
          const folder = newFolder();
          const servers = [0, 1, 2].map(() => server(folder));
          let asked = 0;
          for (const [which, rows] of steps) {
            if (rows > 0) servers[which]?.ask(...Array.from({ length: rows }, (_, at) => `text ${at}`));
            asked += rows;
            await servers[which]?.keeper.keep();
            // Killed, and another one in its place: what was kept is there.
            servers[which] = server(folder);
          }
          const last = server(folder);
          await last.keeper.keep();
          assert.equal(last.watch.kept?.seen ?? 0, asked);
          if (asked > 0) assert.deepEqual([fileOf(folder).seen, fileOf(folder).profile.rows], [asked, asked]);
        },
      ),
      { numRuns: 15 },
    );
  });

  test("at once by several: nothing is lost and nothing counts twice", async () => {
    const folder = newFolder();
    const servers = Array.from({ length: 4 }, () => server(folder));
    for (let round = 0; round < 5; round++) {
      for (const one of servers) one.ask("a", "b");
      await Promise.all(servers.map((one) => one.keeper.keep()));
    }
    for (const one of servers) await one.end();
    assert.equal(fileOf(folder).seen, 4 * 5 * 2);
    assert.deepEqual(
      servers.flatMap(({ said }) => said),
      [],
    );
    assert.deepEqual(readdirSync(folder), ["trec@7.json"]);
  });

  test("a file that is damaged, of other bytes, or of other columns is begun anew", async () => {
    const folder = newFolder();
    const first = server(folder);
    first.ask("one");
    await first.end();
    const whole = readFileSync(join(folder, "trec@7.json"), "utf8");
    const kept = fileOf(folder);
    const other = {
      ...kept,
      profile: { ...kept.profile, columns: [], sketches: { columns: {}, texts: null } },
    };
    for (const text of [
      whole.slice(0, 100),
      "",
      "[]",
      JSON.stringify({ ...kept, digest: "other" }),
      JSON.stringify(other),
    ]) {
      writeFileSync(join(folder, "trec@7.json"), text);
      const next = server(folder);
      next.ask("two", "three");
      await next.end();
      assert.deepEqual([fileOf(folder).seen, next.said], [2, []]);
    }
  });

  test("where the disk refuses it is said once, and what was seen goes with the next that can", async () => {
    const folder = newFolder();
    writeFileSync(folder, "in the way");
    const one = server(folder);
    for (const text of ["a", "b", "c"]) {
      one.ask(text);
      await one.keeper.keep();
    }
    assert.equal(one.said.length, 1);
    assert.match(one.said[0] ?? "", /serving profiles cannot be kept: /);
    rmSync(folder);
    mkdirSync(folder);
    await one.keeper.keep();
    assert.equal(fileOf(folder).seen, 3);
  });
});

const moods = Array.from(
  { length: 400 },
  (_, at) => `${"word ".repeat(1 + (at % 5)).trim()} ${at},${at % 2 ? "down" : "up"}`,
);

async function moodVersion() {
  put("moods.csv", `text,mood\n${moods.join("\n")}\n`);
  return built("name: moods\nsources: [{ path: moods.csv }]\ntext: text\nlabel: mood\n");
}

/** A model of moods that says down of everything. */
function moodModel(): ServedModel {
  const model = textModel({ model: "mood", version: 2 });
  const labels = ["down", "up"];
  const down = (count: number) =>
    Float32Array.from({ length: 2 * count }, (_, at) => [0.9, 0.1][at % 2] ?? 0);
  return {
    ...model,
    signature: { ...model.signature, labels, target: "mood" },
    answer: ({ count }) => accept({ kind: "labels", probabilities: down(count) }),
    answerTexts: (texts) => down(texts.length),
  };
}

/** Serves it, with the data it was trained on, and a server's part of what is expected. */
async function moodServer() {
  const { manifest, path } = await moodVersion();
  const model = moodModel();
  const reference = await trainingReference(path, manifest, model.signature);
  assert.ok(reference.ok, reference.ok ? "" : reference.refusal.message);
  const [folder, said] = [newFolder(), new Array<string>()];
  const expected = expectationSchema.parse({ kind: "length", column: "text", max: 3, unit: "words" });
  const serving = await serveModels({
    ...{ references: ["mood@champion"], keys: null, tls: null, address: { host: "127.0.0.1", port: 0 } },
    open: () => Promise.resolve(accept(model)),
    resolve: () => Promise.resolve(accept({ model: "mood", version: 2 })),
    say: (line) => void said.push(line),
    profiles: {
      ...{ folder, expectations: [expected] },
      trainedOn: () => ({
        manifest,
        reference: () => Promise.resolve({ name: "moods@1", profile: reference.value }),
      }),
    },
  });
  assert.ok(serving.ok, serving.ok ? "" : serving.refusal.message);
  assert.deepEqual(
    reference.value.columns.map(({ name }) => name),
    ["characters", "words", "mood"],
  );
  return { path, folder, said, serving: serving.value };
}

async function askMood(url: string): Promise<void> {
  const texts = Array.from({ length: 240 }, (_, at) => `${"much longer text ".repeat(6)}${at}`);
  const answered = await fetch(`${url}/predict/mood`, { method: "POST", body: JSON.stringify({ texts }) });
  assert.equal(answered.status, 200);
  await answered.arrayBuffer();
}

test("SERVE-19: how far what is served lies from what was trained on stands in its profile and in metrics", async () => {
  const { said, serving } = await moodServer();
  const { table, url } = serving;
  const early = await fetch(`${url}/profile/mood`);
  assert.equal(early.status, 404);
  assert.match(await early.text(), /no profile is kept yet/);
  await askMood(url);
  await serving.keepProfiles();
  for (const address of [
    ...["/profile/mood", "/profile/mood@2", "/v2/models/mood/profile", "/v2/models/mood/versions/2/profile"],
  ]) {
    const answer = await fetch(url + address);
    assert.equal(answer.status, 200, address);
    const text = await answer.text();
    const { model, modelVersion, profile, seen } = servingProfileSchema.parse(JSON.parse(text));
    assert.deepEqual([model, modelVersion, seen, profile.rows], ["mood", 2, 240, 240]);
    assert.ok(!text.includes("much longer"));
  }
  assert.deepEqual(
    table.places[0]?.lane.watch?.drift?.columns.map(({ column, drifted }) => [column, drifted]),
    ["characters", "words", "mood"].map((name) => [name, true]),
  );
  const metrics = await (await fetch(`${url}/metrics`)).text();
  for (const line of [
    /^trialmesh_serving_drift\{model="mood",version="2",column="words"\} [0-9.]+$/m,
    /^trialmesh_serving_drifted\{model="mood",version="2",column="mood"\} 1$/m,
    /^trialmesh_serving_expectation_failures_total\{model="mood",version="2",expectation="1 length of text in words, at most 3"\} 240$/m,
    /^trialmesh_serving_expectation_breached\{.*\} 1$/m,
  ])
    assert.match(metrics, line);
  assert.deepEqual(said, [
    "mood@2: not as expected: length of text in words, at most 3; 240 of the last 240 rows looked at fail, 100%",
  ]);
  await serving.drain(1_000);
});

test("SERVE-19: dataset diff compares a data set with what is served, by its address and by its file alike", async () => {
  const { folder, path, serving } = await moodServer();
  const { url } = serving;
  await askMood(url);
  await serving.keepProfiles();
  const surroundings = { environment: {}, say: () => undefined };
  const ask = (profile: string) =>
    diffServing({ dataset: path, serving: profile, key: undefined, as: undefined }, surroundings);
  const byUrl = await ask(`${url}/profile/mood`);
  await serving.drain(1_000);
  const byFile = await ask(join(folder, "mood@2.json"));
  assert.ok(byUrl.ok && byFile.ok);
  assert.deepEqual(byFile.value, byUrl.value);
  assert.deepEqual([byUrl.value.drifted, byUrl.value.b.rows], [true, 240]);
  assert.deepEqual(
    byUrl.value.labels.map(({ b, label }) => [label, b]),
    [
      ["down", 240],
      ["up", 0],
    ],
  );
  for (const [profile, sentence] of [
    [join(folder, "none.json"), /there is no file/],
    [path, /is no serving profile/],
    [put("list.json", "[]"), /is no serving profile; a server gives one/],
    [`${url}/profile/mood`, /does not answer/],
  ] as const) {
    const refused = await ask(profile);
    assert.ok(!refused.ok && sentence.test(refused.refusal.message), profile);
  }
});

describe("SERVE-20: what is expected of what is served", () => {
  const signature = textModel().signature;
  const read = (one: object): Expectation => expectationSchema.parse(one);

  test("row by row the same fail as of a data set", async () => {
    const { path } = await moodVersion();
    const expected = [
      { kind: "length", column: "text", min: 6, max: 20 },
      { kind: "length", column: "text", min: 2, max: 4, unit: "words" },
      { kind: "regex", column: "text", pattern: "word [0-9]*5$" },
      { kind: "regex", column: "text", pattern: "^(word ?)*" },
      { kind: "not-null", column: "text" },
      { kind: "one-of", column: "label", values: ["up"] },
    ].map(read);
    const watched = WatchedExpectations.of(expected, {
      ...signature,
      labels: ["down", "up"],
      target: "mood",
    });
    assert.ok(watched.ok);
    for (const line of moods) {
      const [text = "", mood = ""] = line.split(",");
      watched.value.look(() => text, mood);
    }
    const failing = await withRawVersion(
      path,
      { workDir: buildFolder, threads: 1, memoryMiB: 256 },
      async (version) => {
        const found: number[] = [];
        for (const one of expected) {
          assert.ok(
            one.kind !== "rows" && one.kind !== "balance" && one.kind !== "unique" && one.kind !== "distinct",
          );
          assert.ok(one.kind !== "no-leakage" && one.kind !== "no-conflicts" && one.kind !== "label-errors");
          const checked = await checkRows(version, one);
          assert.ok(checked.ok, checked.ok ? "" : checked.refusal.message);
          found.push(checked.value.failing);
        }
        return accept(found);
      },
    );
    assert.ok(failing.ok);
    assert.deepEqual(
      watched.value.states.map((state) => state.failing),
      failing.value,
    );
    assert.ok(failing.value.some((count) => count > 0 && count < moods.length));
  });

  test("a breach is told when it begins, and again only after it was over; few rows say nothing of a share", () => {
    const watched = WatchedExpectations.of(
      [
        { kind: "length", column: "text", max: 5, mostly: 0.9 },
        { kind: "not-null", column: "text", severity: "warn" },
      ].map(read),
      signature,
    );
    assert.ok(watched.ok);
    const look = (text: string | null, times: number) => {
      for (let at = 0; at < times; at++) watched.value.look(() => text, "a");
    };
    look("long text", 50);
    assert.deepEqual(watched.value.judge(), []);
    look("long text", 50);
    assert.equal(watched.value.judge().length, 1);
    look("long text", 100);
    assert.deepEqual([watched.value.judge(), watched.value.states[0]?.isBreached], [[], true]);
    look("short", 100);
    assert.deepEqual([watched.value.judge(), watched.value.states[0]?.isBreached], [[], false]);
    look("short", 89);
    look("long text", 11);
    assert.match(watched.value.judge()[0] ?? "", /11 of the last 100 rows looked at fail, 11%/);
    look(null, 1);
    assert.match(
      watched.value.judge()[0] ?? "",
      /^warning: not as expected: not-null of text; 1 of the last 1 rows/,
    );
  });

  test("what cannot be asked of single rows, or of this model, is refused by name", () => {
    const price = tableModel().signature;
    for (const [one, given, sentence] of [
      [{ kind: "no-leakage" }, signature, /expectation 1: no-leakage is about a data set as a whole/],
      [{ kind: "rows", min: 1 }, signature, /rows is about a data set as a whole/],
      [{ kind: "not-null", column: "txt" }, signature, /no column "txt"; .*text/],
      [{ kind: "range", column: "text", min: 1 }, signature, /range is for numbers, and text is text/],
      [{ kind: "length", column: "size", min: 1 }, price, /length is for texts, and size is a number/],
      [{ kind: "regex", column: "text", pattern: "(?=a)" }, signature, /looks ahead/],
    ] as const) {
      const watched = WatchedExpectations.of([read(one)], given);
      assert.ok(!watched.ok && sentence.test(watched.refusal.message), JSON.stringify(one));
    }
    const numbers = WatchedExpectations.of(
      [
        { kind: "range", column: "price", min: 0, max: 10 },
        { kind: "range", column: "size", max: 3 },
        { kind: "one-of", column: "kind", values: ["big"] },
      ].map(read),
      price,
    );
    assert.ok(numbers.ok);
    numbers.value.look((input) => [4, "big", null][input], 11);
    assert.deepEqual(
      numbers.value.states.map(({ failing }) => failing),
      [1, 1, 0],
    );
  });
});

test("SERVE-20: a version whose columns are not those that are expected is not served", async () => {
  const expectations = [expectationSchema.parse({ kind: "not-null", column: "body" })];
  const serving = await serveModels({
    ...{ references: ["trec@champion"], keys: null, tls: null, address: { host: "127.0.0.1", port: 0 } },
    open: () => Promise.resolve(accept(textModel())),
    resolve: () => Promise.resolve(accept({ model: "trec", version: 7 })),
    say: () => undefined,
    profiles: {
      folder: null,
      expectations,
      trainedOn: () => ({ manifest: null, reference: () => Promise.resolve(null) }),
    },
  });
  assert.ok(!serving.ok && /no column "body"/.test(serving.refusal.message));
});

test("SERVE-18: without a folder a profile lasts as long as its server", async () => {
  const one = server(null);
  one.ask("a");
  await one.keeper.keep();
  one.ask("b", "c");
  await one.keeper.keep();
  assert.equal(one.watch.whole?.seen, 3);
});
