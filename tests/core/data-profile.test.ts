/** Profiles: figures against exact computations, planted and real faults with their lines, parts merged to the whole. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import test, { after } from "node:test";
import { randomStream } from "../../search/space/random-stream.ts";
import { buildDataset } from "../../data/version/build-dataset.ts";
import { declarationSchema } from "../../data/declaration/declaration.ts";
import { mergeProfiles } from "../../data/profile/merge-profile.ts";
import { NumberStream } from "../../data/profile/number-stream.ts";
import { profileDeclaration } from "../../data/profile/profile-declaration.ts";
import { profileFile } from "../../data/profile/profile-file.ts";
import { profileVersion } from "../../data/profile/profile-version.ts";
import { profileSchema, type Distribution, type Profile } from "../../data/profile/profile.ts";
import { TextGroups } from "../../data/profile/text-groups.ts";
import { mixUnsigned } from "../../numeric/mix.ts";

const dir = mkdtempSync(join(tmpdir(), "trialmesh-profile-"));
after(() => rmSync(dir, { recursive: true, maxRetries: 5 }));
const options = { workDir: dir, threads: 1, memoryMiB: 512 };

interface Row {
  readonly text: string;
  readonly label?: string;
  readonly split?: string;
  readonly n?: number | null;
}

let files = 0;
async function profileOf(rows: readonly Row[], scannedRows?: number): Promise<Profile> {
  const path = join(dir, `rows-${++files}.jsonl`);
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const has = (key: keyof Row) => (rows.some((row) => key in row) ? key : undefined);
  const done = await profileFile(
    { path, text: "text", label: has("label"), split: has("split") },
    { ...options, scannedRows },
  );
  assert.ok(done.ok, done.ok ? "" : done.refusal.message);
  // What a reader of the file gets is what was made.
  const read = profileSchema.parse(JSON.parse(JSON.stringify(done.value)));
  assert.deepEqual(read, done.value);
  return read;
}

const random = randomStream(1, "profile-test", 0);
const words =
  "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda my nu xi omicron pi rho sigma tau".split(
    " ",
  );
const anyWord = () => words[Math.floor(words.length * random.next() ** 2)] ?? "";
const anyText = () => Array.from({ length: 3 + Math.floor(20 * random.next() ** 3) }, anyWord).join(" ");
const manyRows: readonly Row[] = Array.from({ length: 3000 }, (_, row) => ({
  text: row % 50 === 7 ? "" : `${anyText()} ${mixUnsigned(row).toString(36)}`,
  label: random.next() < 0.7 ? "yes" : "no",
  n: row % 10 === 3 ? null : Math.exp(6 * random.next()),
}));

function near(actual: number | null, expected: number): void {
  assert.ok(
    actual !== null && Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected)),
    `${actual}, ${expected}`,
  );
}

function holds(found: Distribution, values: readonly number[]): void {
  const sorted = values.toSorted((a, b) => a - b);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  assert.equal(found.count, values.length);
  assert.deepEqual([found.min, found.max], [sorted[0], sorted.at(-1)]);
  near(found.mean, mean);
  near(
    found.sd,
    Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)),
  );
  for (const { q, value } of found.quantiles) {
    const low = sorted.filter((each) => each < value).length / values.length;
    const high = sorted.filter((each) => each <= value).length / values.length;
    const slack = found.rankError + 1 / values.length;
    assert.ok(low - slack <= q && q <= high + slack, `${q}: ${value} has ranks ${low} to ${high}`);
  }
  const { edges, counts } = found.histogram;
  assert.equal(
    counts.reduce((a, b) => a + b, 0),
    values.length,
  );
  let [cumulated, exact] = [0, 0];
  for (const [bin, count] of counts.entries()) {
    cumulated += count;
    const edge = edges[bin + 1] ?? 0;
    exact = bin === counts.length - 1 ? values.length : values.filter((value) => value < edge - 1e-12).length;
    assert.ok(
      Math.abs(cumulated - exact) <= (found.rankError + 2 / values.length) * values.length,
      `bin ${bin}`,
    );
  }
}

test("PROFILE-1: counts, mean and deviation are exact, quantiles and histograms within the stated error", async () => {
  const profile = await profileOf(manyRows);
  const [text, label, n] = ["text", "label", "n"].map((name) =>
    profile.columns.find((column) => column.name === name),
  );
  const numbers = manyRows.flatMap(({ n: value }) => (typeof value === "number" ? [value] : []));
  assert.ok(n?.kind === "number" && text?.kind === "text" && label?.kind === "text");
  assert.deepEqual([n.rows, n.missing], [3000, 300]);
  holds(n.values, numbers);
  holds(
    text.characters,
    manyRows.map((row) => row.text.length),
  );
  holds(
    text.words,
    manyRows.map((row) => row.text.split(" ").filter((word) => word !== "").length),
  );
  assert.equal(text.empty, 60);
  const distinct = new Set(manyRows.map((row) => row.text)).size;
  assert.ok(Math.abs(text.distinct.estimate - distinct) <= 5 * text.distinct.relativeError * distinct);
  assert.deepEqual(label.distinct, { estimate: 2, relativeError: 0 });
  const yes = manyRows.filter((row) => row.label === "yes").length;
  assert.deepEqual(label.frequent, [
    { value: "yes", rows: yes, undercount: 0 },
    { value: "no", rows: 3000 - yes, undercount: 0 },
  ]);
  assert.deepEqual(profile.labels?.overall, [
    { label: "no", rows: 3000 - yes },
    { label: "yes", rows: yes },
  ]);
});

const planted: readonly Row[] = [
  { text: "the cat sat on the mat and looked at the dog for 10 minutes", label: "a", split: "train" },
  { text: "The  cat sat on the mat and looked at the dog for 99 minutes", label: "b", split: "train" },
  { text: "a wholly different sentence about ships and their cargo", label: "a", split: "train" },
  { text: "a wholly different sentence about ships and their cargo", label: "a", split: "test" },
  { text: "a wholly different sentence about ships and their cargos", label: "a", split: "test" },
  { text: "something else that stands alone in here, mail me@example.com", label: "b", split: "test" },
  { text: "A WHOLLY different sentence about ships and their cargo", label: "a", split: "validation" },
];

test("PROFILE-2: repeats, contradicting labels and leaks are found with their lines, the same and nearly the same apart", async () => {
  const { text, findings, splits } = await profileOf(planted);
  assert.ok(text);
  assert.deepEqual(
    splits.map(({ split }) => split),
    ["train", "validation", "test"],
  );
  assert.deepEqual([text.exact.groups, text.exact.extraRows, text.exact.estimated], [2, 3, false]);
  assert.deepEqual(
    text.exact.listed.map(({ places }) => places.map(({ line }) => line)),
    [
      [3, 4, 7],
      [1, 2],
    ],
  );
  assert.deepEqual([text.near.groups, text.near.extraRows], [1, 1]);
  assert.deepEqual([text.conflicts.groups, text.conflicts.rows], [1, 2]);
  assert.deepEqual(
    text.conflicts.listed[0]?.places.map(({ line, label }) => [line, label]),
    [
      [1, "a"],
      [2, "b"],
    ],
  );
  assert.deepEqual(
    text.leakage.map(({ from, to, sameRows, nearRows }) => [from, to, sameRows, nearRows]),
    [
      ["train", "test", 1, 1],
      ["validation", "test", 1, 1],
      ["train", "validation", 1, 0],
    ],
  );
  assert.deepEqual(text.personal, [
    { kind: "e-mail", rows: 1, examples: [{ masked: "m***@e***.com", split: "test", file: 0, line: 6 }] },
  ]);
  const severities = findings.map(({ severity }) => ["bad", "warn", "note"].indexOf(severity));
  assert.deepEqual(
    severities,
    severities.toSorted((a, b) => a - b),
    "worst first",
  );
  assert.ok(findings.some(({ kind, subject }) => kind === "leakage" && subject === "test"));
});

test("PROFILE-3: a version's rows are named by the lines of its sources", async () => {
  const csv = join(dir, "source.csv");
  writeFileSync(
    csv,
    `class,body\n${Array.from({ length: 60 }, (_, row) => `${row % 2},"${row === 4 ? "two\nlines" : mixUnsigned(row).toString(36)} is text ${mixUnsigned(row + 99).toString(36)}"\n`).join("")}1,"The End"\n0,the end\n`,
  );
  const declaration = declarationSchema.parse({
    name: "small",
    sources: [{ format: "csv", path: csv }],
    form: { kind: "text", text: "body", label: "class" },
  });
  const built = await buildDataset(declaration, { workDir: dir, threads: 1, memoryMiB: 512 });
  assert.ok(built.ok, built.ok ? "" : built.refusal.message);
  const done = await profileVersion(built.value.path, built.value.digest, options);
  assert.ok(done.ok, done.ok ? "" : done.refusal.message);
  const { text, labels, files: names, digest, rows } = done.value;
  assert.deepEqual([names, digest, rows], [["source.csv"], built.value.digest, 62]);
  assert.deepEqual(labels?.overall.map(({ label }) => label).toSorted(), ["0", "1"]);
  assert.deepEqual(
    text?.conflicts.listed.map(({ places }) =>
      places.map(({ file, line, label, text: said }) => [file, line, label, said]),
    ),
    [
      [
        [0, 63, "1", "The End"],
        [0, 64, "0", "the end"],
      ],
    ],
  );
  assert.equal(done.value.columns.length, 1);
});

test("PROFILE-4: profiles of parts merge to the whole: counts and moments exact, the rest within the stated errors", async () => {
  const cuts = [0, 900, 2100, 3000];
  const parts: Profile[] = [];
  for (const [at, to] of cuts.slice(1).entries()) parts.push(await profileOf(manyRows.slice(cuts[at], to)));
  const whole = await profileOf(manyRows);
  const [a, b, c] = parts;
  assert.ok(a && b && c);
  const merge = (x: Profile, y: Profile) => {
    const merged = mergeProfiles(x, y);
    assert.ok(merged.ok, merged.ok ? "" : merged.refusal.message);
    return profileSchema.parse(JSON.parse(JSON.stringify(merged.value)));
  };
  for (const merged of [merge(merge(a, b), c), merge(a, merge(b, c)), merge(merge(c, a), b)]) {
    assert.equal(merged.rows, 3000);
    for (const [at, column] of merged.columns.entries()) {
      const same = whole.columns[at];
      assert.ok(same);
      assert.deepEqual([column.name, column.rows, column.missing], [same.name, same.rows, same.missing]);
      assert.deepEqual(column.distinct, same.distinct);
    }
    const n = merged.columns.find(({ name }) => name === "n");
    assert.ok(n?.kind === "number");
    holds(
      n.values,
      manyRows.flatMap(({ n: value }) => (typeof value === "number" ? [value] : [])),
    );
    assert.deepEqual(merged.labels, whole.labels);
    const repeats = whole.text?.exact.extraRows ?? 0;
    assert.ok(merged.text?.exact.estimated);
    assert.ok(Math.abs(merged.text.exact.extraRows - repeats) <= 5 * 0.0081 * 3000);
  }
});

test("PROFILE-5: profiles of different columns do not merge, and it says which", async () => {
  const merged = mergeProfiles(
    await profileOf([{ text: "a", n: 1 }]),
    await profileOf([{ text: "a", label: "b" }]),
  );
  assert.ok(!merged.ok);
  assert.match(merged.refusal.message, /only rows-\d+\.jsonl has a column n$/);
});

test("PROFILE-6: with a draw of rows repeats are still counted among all, and the draw is stated", async () => {
  const rows = manyRows.map((row, at) =>
    at < 1500 ? row : { ...row, text: `${manyRows[at - 1500]?.text} ` },
  );
  const { text } = await profileOf(rows, 500);
  assert.ok(text);
  assert.equal(
    text.exact.extraRows,
    3000 - new Set(rows.map((row) => row.text.replaceAll(/\d/gu, "0").trim())).size,
  );
  assert.equal(text.scanned.of, 3000);
  assert.ok(Math.abs(text.scanned.rows - 500) <= 5 * Math.sqrt(500));
});

test("PROFILE-7: with more texts than are kept, repeats are estimated from every so-many-th and scaled up", () => {
  const keys = 40_000;
  const groups = new TextGroups(5_000);
  const other = new TextGroups(5_000);
  for (let row = 0; row < 2 * keys; row++) {
    const key = row % keys;
    // The even rows' texts come twice in one part, the odd ones once in each.
    const into = key % 2 === 0 || row < keys ? groups : other;
    into.add(mixUnsigned(key), mixUnsigned(key ^ 0x5bd1), row, 0, 0);
  }
  const estimate = (of: TextGroups) => [...of.groups()].length * of.scale;
  assert.ok(groups.scale >= 8);
  assert.ok(Math.abs(estimate(groups) - keys / 2) <= 5 * Math.sqrt((groups.scale * keys) / 2));
  groups.merge(other);
  assert.ok(
    [...groups.groups()].every(
      (rows) => rows.length === 2 && (rows[1]?.row ?? 0) - (rows[0]?.row ?? 0) === keys,
    ),
  );
  assert.ok(Math.abs(estimate(groups) - keys) <= 5 * Math.sqrt(groups.scale * keys));
});

test("PROFILE-8: no file, no such column, no known ending: each is refused with what would be right", async () => {
  const path = join(dir, "ok.jsonl");
  writeFileSync(path, '{"text":"a","label":"b"}\n');
  const refusalOf = async (file: Parameters<typeof profileFile>[0]) => {
    const done = await profileFile(file, options);
    assert.ok(!done.ok);
    return done.refusal.message;
  };
  assert.match(await refusalOf({ path: join(dir, "none.csv") }), /none\.csv: there is no such file/);
  assert.match(await refusalOf({ path, text: "txt" }), /no column "txt"; did you mean "text"\?/);
  assert.match(await refusalOf({ path: join(dir, "rows.xlsx") }), /name one of csv, tsv, jsonl, parquet/);
});

test("PROFILE-10: a table's version has its features as columns and its target as labels, or as a column where it is a number", async () => {
  const csv = join(dir, "table.csv");
  const lines = Array.from(
    { length: 80 },
    (_, row) => `${row},${row % 3},${row % 4 === 0 ? "big" : "small"}\n`,
  );
  writeFileSync(csv, `size,price,kind\n${lines.join("")}`);
  for (const target of ["kind", "price"]) {
    const declaration = declarationSchema.parse({
      name: "table",
      sources: [{ format: "csv", path: csv }],
      form: { kind: "table", target, features: ["size"] },
    });
    const built = await buildDataset(declaration, { workDir: dir, threads: 1, memoryMiB: 512 });
    assert.ok(built.ok, built.ok ? "" : built.refusal.message);
    const done = await profileVersion(built.value.path, null, options);
    assert.ok(done.ok, done.ok ? "" : done.refusal.message);
    const { columns, labels, text, rows } = profileSchema.parse(done.value);
    assert.deepEqual([rows, text], [80, null]);
    assert.deepEqual(
      columns.map(({ name }) => name),
      ["size", target],
    );
    assert.equal(
      labels?.overall.find(({ label }) => label === "big")?.rows,
      target === "kind" ? 20 : undefined,
    );
    const [size] = columns;
    assert.ok(size?.kind === "number");
    assert.deepEqual([size.values.min, size.values.max, size.values.mean], [0, 79, 39.5]);
  }
});

test("PROFILE-11: quantiles, moments and bins are numpy's and scipy's for the same numbers", () => {
  // x = ((i * 7919) mod 500)^1.5 / 10: numpy.quantile(method="inverted_cdf"), scipy.stats.describe, numpy.histogram(bins=20)
  const stream = new NumberStream();
  for (let i = 0; i < 500; i++) stream.add(((i * 7919) % 500) ** 1.5 / 10);
  const { mean, sd, quantiles, histogram, rankError } = stream.distribution();
  near(mean, 446.09611543117137);
  near(sd, 335.3721137880016);
  const expected = [
    0.8, 11.757550765359255, 138.08055619818452, 392.9153725676816, 723.2815772574329, 1031.9710461054613,
    1097.9698720821077,
  ];
  for (const [at, { value }] of quantiles.entries()) near(value, expected[at] ?? Number.NaN);
  assert.deepEqual(
    histogram.counts,
    [68, 40, 33, 30, 28, 25, 24, 23, 23, 21, 20, 20, 20, 19, 18, 19, 17, 18, 17, 17],
  );
  assert.equal(rankError, 0);
});

const trec = resolve(process.env["TRIALMESH_DATA"] ?? "../shared/data", "trec");

test(
  "PROFILE-9: TREC's repeats, contradictions and leaks are those that a plain recount of its lines finds",
  { skip: existsSync(trec) ? false : `no folder ${trec}` },
  async () => {
    const sources = [
      { split: "train", path: join(trec, "train.txt") },
      { split: "test", path: join(trec, "test.txt") },
    ];
    const declaration = declarationSchema.parse({
      name: "trec",
      sources: sources.map((source) => ({ format: "labelled-lines", ...source })),
      form: { kind: "text", text: "text", label: "label" },
    });
    const done = await profileDeclaration(declaration, options);
    assert.ok(done.ok, done.ok ? "" : done.refusal.message);
    assert.deepEqual(done.value.files, ["train.txt", "test.txt"]);
    const groups = new Map<string, { split: string; line: number; label: string }[]>();
    for (const { split, path } of sources) {
      for (const [at, raw] of readFileSync(path, "latin1").split("\n").entries()) {
        const [label, ...rest] = raw.trim().split(/\s+/u);
        if (label === undefined || rest.length === 0) continue;
        const key = rest.join(" ").toLowerCase().replaceAll(/[0-9]/gu, "0");
        groups.set(key, [...(groups.get(key) ?? []), { split, line: at + 1, label }]);
      }
    }
    const repeated = [...groups.values()].filter((rows) => rows.length > 1);
    const conflicts = repeated.filter((rows) => rows.some(({ label }) => label !== rows[0]?.label));
    const leaked = repeated.filter((rows) => new Set(rows.map(({ split }) => split)).size > 1);
    const { text } = done.value;
    assert.ok(text);
    assert.deepEqual(
      [text.exact.groups, text.exact.extraRows],
      [repeated.length, repeated.reduce((sum, rows) => sum + rows.length - 1, 0)],
    );
    const lines = (rows: readonly { split: string; line: number }[]) =>
      rows.map(({ split, line }) => `${split} ${line}`).join(", ");
    assert.deepEqual(
      text.conflicts.listed.map(({ places }) => lines(places)),
      conflicts.map(lines),
    );
    assert.ok(conflicts.length > 0 && leaked.length > 0);
    const [leak] = text.leakage;
    assert.equal(leak?.sameRows, leaked.flat().filter(({ split }) => split === "test").length);
    assert.deepEqual(
      leak?.groups
        .filter((group) => !group.near)
        .map(({ places }) => lines(places))
        .toSorted(),
      leaked.map(lines).toSorted(),
    );
  },
);

test("PROFILE-12: a table's version is profiled as it came, a column of categories as one; a constant of the data is a finding", async () => {
  const csv = join(dir, "sides.csv");
  const lines = Array.from(
    { length: 80 },
    (_, row) => `${row % 2 === 0 ? "left" : "right"},7,${row},${row}\n`,
  );
  writeFileSync(csv, `side,same,size,price\n${lines.join("")}`);
  const declaration = declarationSchema.parse({
    name: "sides",
    sources: [{ format: "csv", path: csv }],
    form: { kind: "table", target: "price" },
  });
  const built = await buildDataset(declaration, { workDir: dir, threads: 1, memoryMiB: 512 });
  assert.ok(built.ok, built.ok ? "" : built.refusal.message);
  const done = await profileVersion(built.value.path, null, options);
  assert.ok(done.ok, done.ok ? "" : done.refusal.message);
  const size = built.value.manifest.features?.find(({ column }) => column === "size");
  const fill = size?.kind === "numeric" ? Number(size.fill.toPrecision(6)) : null;
  assert.deepEqual(
    done.value.columns.map(({ becomes, kind, name }) => [name, kind, becomes]),
    [
      ["side", "text", "3 columns, one for each value and one for others and none"],
      ["same", "number", "a number; none counts as 7"],
      ["size", "number", `a number; none counts as ${fill}`],
      ["price", "number", undefined],
    ],
  );
  const constant = done.value.findings.filter(({ kind }) => kind === "constant");
  assert.deepEqual(
    constant.map(({ subject }) => subject),
    ["same"],
  );
});
