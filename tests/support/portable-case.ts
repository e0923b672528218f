/** Data sets built of generated plans and rows, with what the whole transformation makes of the rows and how an export describes it. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { namesOf } from "../../data/manifest/feature.ts";
import type { Manifest } from "../../data/manifest/manifest.ts";
import { describeTransform, type TransformDescription } from "../../serving/export/transform-description.ts";
import { openTransform } from "../../serving/transform/open-transform.ts";
import type { Checkpoint } from "../../training/task/checkpoint.ts";
import { build, put } from "./dataset-build.ts";

export type PortableRow = Readonly<Record<string, string>>;

export interface PortableCase {
  readonly plan: TransformDescription;
  /** Rows that something can be made of. */
  readonly rows: readonly PortableRow[];
  /** Behind the steps: one text for each row, or [rows, features]. */
  readonly wanted: { readonly texts: readonly string[] } | { readonly features: readonly number[] };
}

const character = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(..."abcXYZ 019.,;!?-") },
  { weight: 2, arbitrary: fc.constantFrom(..."ÀéñßÇøŁΣσςİıÖжЖ中\u00a0\u2003\u3000e\u0301ﬁ①😀") },
  { weight: 1, arbitrary: fc.constantFrom("&amp;", "&eacute;", "&#150;", "<b>", "<!-- x -->", "#39;") },
  { weight: 1, arbitrary: fc.constantFrom("\\n", '\\"', "\\\\", "\\", "\t", '"', "'", "\n") },
);
const text = fc.array(character, { maxLength: 24 }).map((parts) => parts.join(""));
const columns = ["text", "title", "colour", "count", "size", "flag", "label"];
const rows = fc.array(
  fc.record({
    text,
    title: text,
    colour: fc.constantFrom("red", "Red", " blue", "green", "?x", "", "7", "true"),
    count: fc.oneof(
      fc.integer({ min: -50, max: 50 }).map(String),
      fc.constantFrom("", "007", " 12", "+3", "-0"),
    ),
    size: fc.oneof(
      fc.double({ min: -1e3, max: 1e3, noNaN: true }).map(String),
      fc.constantFrom("", "1e5", ".5", "-2.", "inf", "nan", " 3.25"),
    ),
    flag: fc.constantFrom("true", "False", " TRUE", ""),
    label: fc.constantFrom("yes", "no"),
  }),
  { minLength: 12, maxLength: 30 },
);

const cleaning = fc
  .record({
    html: fc.boolean(),
    escapes: fc.constantFrom("false", "true", "c"),
    whitespace: fc.boolean(),
    unicode: fc.constantFrom("", ", unicode: NFC", ", unicode: NFKC"),
    lowercase: fc.boolean(),
  })
  .map(({ escapes, html, lowercase, unicode, whitespace }) => {
    const how = `html: ${html}, escapes: ${escapes}, whitespace: ${whitespace}, lowercase: ${lowercase}${unicode}`;
    return (names: string) => `- clean: { columns: [${names}], ${how} }`;
  });

const textPlan = fc.array(
  fc.oneof(
    fc.constant("- concat: { columns: [title, text], to: text, separator: ': ' }"),
    fc.constant("- concat: { columns: [title, count, flag, text], to: text }"),
    fc.constant("- rename: { text: body, title: text }\n  - rename: { body: title }"),
    fc.constant("- dedupe: { by: text, keep: first }"),
    fc.constant("- map-label: { column: label, from: { yes: ja, no: nein } }"),
    cleaning.map((clean) => clean("text, title")),
    cleaning.map((clean) => clean("text")),
  ),
  { maxLength: 4 },
);

const tablePlan = fc
  .tuple(
    fc.array(
      fc.oneof(
        fc.constant("- rename: { colour: hue }\n  - rename: { hue: colour }"),
        fc.constant("- concat: { columns: [colour, count, flag], to: colour, separator: '/' }"),
        fc.constant("- map-label: { column: colour, from: { red: r, green: g }, unknown: keep }"),
        fc.constant("- map-label: { column: colour, from: { red: r, green: g }, unknown: other }"),
        fc.constant("- sample: { share: 0.9 }"),
        cleaning.map((clean) => clean("colour")),
      ),
      { maxLength: 3 },
    ),
    fc.constantFrom("none", "standard", "minmax"),
    fc.constantFrom("mean", "median", "zero"),
    fc.constantFrom(
      "",
      ", columns: { count: { categories: { max: 3 } } }",
      ", columns: { count: { buckets: 3 } }",
    ),
  )
  .map(([steps, numeric, missing, more]) => [
    ...steps,
    `- features: { numeric: ${numeric}, missing: ${missing}, categories: { max: 4 }${more} }`,
  ]);

function csv(given: readonly PortableRow[]): string {
  const cell = (one = "") => (one === "" ? "" : `"${one.replaceAll('"', '""')}"`);
  const lines = given.map((row) => columns.map((name) => cell(row[name])).join(","));
  return `${[columns.join(","), ...lines].join("\n")}\n`;
}

/** As many as could be built of `count` plans; `seed` gives the same ones again. */
export async function portableCases(count: number, seed: number): Promise<readonly PortableCase[]> {
  const cases: PortableCase[] = [];
  const drawn = fc.sample(fc.tuple(rows, fc.boolean(), textPlan, tablePlan), { numRuns: count, seed });
  for (const [given, isText, ofText, ofTable] of drawn) {
    put("drawn.csv", csv(given));
    const plan = isText ? ofText : ofTable;
    const form = isText
      ? ["text: text", "label: label"]
      : ["target: label", "features: [colour, count, size, flag]"];
    const steps = plan.length === 0 ? [] : ["plan:", ...plan.map((step) => `  ${step}`)];
    const sources = "sources: [{ path: drawn.csv, format: csv }]";
    const made = await build(
      ["name: drawn", sources, ...steps, ...form, "badRows: { max: 1 }", ""].join("\n"),
    );
    // A plan may be refused, as where no row is left.
    if (made.ok) cases.push(await caseOf(made.value.manifest, given));
  }
  return cases;
}

async function caseOf(manifest: Manifest, given: readonly PortableRow[]): Promise<PortableCase> {
  const transform = await openTransform(manifest);
  assert.ok(transform.ok);
  try {
    const cells = new Map(columns.map((name) => [name, given.map((row) => row[name] ?? null)]));
    const made = await transform.value.apply({ count: given.length, columns: cells });
    assert.ok(made.ok);
    const { unfit } = made.value;
    const kept = [...given.keys()].filter((at) => !unfit.some(({ row }) => row === at));
    const described = describeTransform(checkpointFor(manifest), manifest, transform.value.inputs);
    assert.ok(described.ok, described.ok ? "" : described.refusal.message);
    const parts = { plan: described.value.description, rows: kept.map((at) => given[at] ?? {}) };
    if (made.value.kind === "text") {
      const { texts } = made.value;
      return { ...parts, wanted: { texts: kept.map((at) => texts[at] ?? "") } };
    }
    const width = made.value.features.length / given.length;
    const { features } = made.value;
    return {
      ...parts,
      wanted: { features: kept.flatMap((at) => [...features.subarray(at * width, (at + 1) * width)]) },
    };
  } finally {
    transform.value.dispose();
  }
}

/** As little of a checkpoint as its description reads. */
function checkpointFor({ features, labels }: Manifest): Checkpoint {
  const names = (features ?? []).flatMap(namesOf);
  const zeros = { shape: [names.length], data: new Float32Array(names.length) };
  const tensors =
    features === null
      ? new Map([["buckets", { shape: [1], data: Int32Array.of(0) }]])
      : new Map([
          ["feature.mean", zeros],
          ["feature.factor", zeros],
          ["target.scale", { shape: [2], data: Float32Array.of(0, 1) }],
        ]);
  return {
    tensors,
    meta: {
      format: "trialmesh-checkpoint",
      version: 1,
      task: features === null ? "text-classification" : "tabular",
      model: "linear",
      params: { wordNgrams: 1, charMin: 1, charMax: 2, bucketBits: 8 },
      labels: [...(labels ?? [])],
      seed: 1,
      epoch: 1,
      step: 1,
      backend: "sparse",
      extra: { features: JSON.stringify(names), target: "label" },
    },
  };
}
