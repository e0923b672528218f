/** That every schema of something that comes from outside says how large it may be: by looking at the schemas, and at how they are written. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import * as z from "zod";
import { bounded, jsonValue, listOf, nestingMax, recordOf, shortText } from "../../protocol/bound.ts";
import { sweepSpecSchema } from "../../protocol/sweep.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { sweepSpec } from "../support/fold.ts";

/** Rooms with a border to other programs, machines and people. What the journal holds is read as it was written. */
const rooms = [
  "protocol",
  "spec",
  "serving",
  "mesh",
  "agent",
  "client",
  "gateway",
  "cli",
  "training",
  "data",
  "text",
  "coordinator",
];
const kept = ["coordinator/format", "coordinator/journal", "coordinator/projection", "coordinator/core"];
/** The room that makes the bounds, and the door to the server's client, which knows nothing of the rest of its room. */
const free = ["protocol/bound.ts", "protocol/bus/nats-stream.ts"];
/** Programs of their own, which begin to work once they are loaded. */
const programs = ["agent/program/pattern-worker.ts"];

const files = rooms
  .flatMap((room) =>
    readdirSync(join(projectFolder, room), { recursive: true, encoding: "utf8" }).map((file) =>
      join(room, file).split(sep).join("/"),
    ),
  )
  .filter((file) => /\.tsx?$/.test(file) && !kept.some((folder) => file.startsWith(`${folder}/`)));
const sources = new Map(files.map((file) => [file, readFileSync(join(projectFolder, file), "utf8")]));
const withSchemas = files.filter((file) => /from "zod"|\/bound\.ts"/.test(sources.get(file) ?? ""));

test("SIZE-6: schemas of what comes from outside are made of texts, lists and records with a bound", () => {
  assert.ok(withSchemas.length > 70, `only ${withSchemas.length} files have schemas`);
  const raw = /\bz\s*\.(string|array|record|map|set|any|unknown|json|url|hex|jwt|templateLiteral)\(/g;
  for (const file of withSchemas) {
    if (free.includes(file)) continue;
    const found = (sources.get(file) ?? "").match(raw) ?? [];
    assert.deepEqual(found, [], `${file}: protocol/bound.ts has these with a bound`);
  }
});

test("SIZE-6: each exported schema says the most that each text, list and record in it may hold", async () => {
  let looked = 0;
  for (const file of withSchemas) {
    if (programs.includes(file)) continue;
    const compiled = join(projectFolder, "dist", file.replace(/\.tsx?$/, ".js"));
    const module: unknown = await import(pathToFileURL(compiled).href);
    for (const [name, value] of schemasIn(module, relative(projectFolder, file))) {
      looked++;
      assert.deepEqual(unboundedIn(value, name), []);
    }
  }
  assert.ok(looked > 150, `only ${looked} schemas were found`);
});

test("SIZE-6: the look at schemas finds what has no bound, wherever it stands", () => {
  const naked = {
    text: z.string(),
    list: z.array(shortText),
    record: z.record(shortText, shortText),
    optional: z.string().optional(),
    inList: listOf(z.string()),
    inRecord: recordOf(shortText, z.array(shortText)),
    piped: z.string().transform(Number),
    union: z.union([z.number(), z.string()]),
    tuple: z.tuple([z.string()]),
    unknown: z.unknown(),
    lazy: z.lazy(() => z.string()),
  };
  for (const [name, schema] of Object.entries(naked))
    assert.equal(unboundedIn(z.object({ [name]: schema }), "it").length, 1, name);
});

test("SIZE-6: what is larger than its bound by one is refused with its place, what is as large is taken", () => {
  const schema = z.object({ words: recordOf(shortText, listOf(shortText, 3), 2), any: jsonValue() });
  const nested = (depth: number) => JSON.parse(`${"[".repeat(depth)}${"]".repeat(depth)}`) as unknown;
  const good = { words: { a: ["x".repeat(200), "", ""], b: [] }, any: nested(nestingMax) };
  assert.ok(schema.safeParse(good).success);
  const bad = {
    "words.a.0": { ...good, words: { a: ["x".repeat(201)] } },
    "words.b": { ...good, words: { b: ["", "", "", ""] } },
    words: { ...good, words: { a: [], b: [], c: [] } },
    any: { ...good, any: nested(nestingMax + 10) },
  };
  for (const [path, value] of Object.entries(bad)) {
    const issues = schema.safeParse(value).error?.issues ?? [];
    assert.deepEqual(
      issues.map((issue) => issue.path.join(".")),
      [path],
    );
  }
});

test("SIZE-6: no part of a sweep's specification may grow without end", () => {
  const spec = sweepSpec();
  assert.ok(sweepSpecSchema.safeParse(spec).success);
  const huge = fc.constantFrom<unknown>(
    "x".repeat(2_000_000),
    Array.from({ length: 200_000 }, () => "x"),
    Object.fromEntries(Array.from({ length: 200_000 }, (_, at) => [`k${at}`, 1])),
    JSON.parse(`${"[".repeat(3_000)}${"]".repeat(3_000)}`),
  );
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(spec)), huge, (field, value) => {
      assert.equal(sweepSpecSchema.safeParse({ ...spec, [field]: value }).success, false, field);
    }),
    { numRuns: 120 },
  );
});

/** Schemas that a module exports: as they are, in a list, or in a table. */
function* schemasIn(value: unknown, name: string, depth = 0): Generator<[string, z.ZodType]> {
  if (value instanceof z.ZodType) yield [name, value];
  else if (typeof value === "object" && value !== null && depth < 3)
    for (const [key, inner] of Object.entries(value)) yield* schemasIn(inner, `${name} ${key}`, depth + 1);
}

/** Where in a schema something has no bound. */
function unboundedIn(schema: z.core.$ZodType, at: string, seen = new Set<z.core.$ZodType>()): string[] {
  if (seen.has(schema)) return [];
  seen.add(schema);
  const inside = partsOf(schema).flatMap(([key, part]) => unboundedIn(part, `${at}.${key}`, seen));
  return isBounded(schema) ? inside : [`${at} is a ${schema._zod.def.type} without a bound`, ...inside];
}

function isBounded(schema: z.core.$ZodType): boolean {
  if (bounded.has(schema)) return true;
  const { checks = [], type } = schema._zod.def;
  const needsOne = ["string", "array", "record", "map", "set", "unknown", "any"].includes(type);
  return !needsOne || checks.some(({ _zod: { def } }) => ["max_length", "length_equals"].includes(def.check));
}

type Part = readonly [string, z.core.$ZodType];

function partsOf(schema: z.core.$ZodType): readonly Part[] {
  if (bounded.has(schema) && ["pipe", "unknown"].includes(schema._zod.def.type)) return [];
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "object":
      return Object.entries(def.shape);
    case "array":
      return [["[]", def.element]];
    case "record":
      return [
        ["key", def.keyType],
        ["value", def.valueType],
      ];
    case "union":
      return def.options.map((option, index) => [`|${index}`, option] as const);
    case "tuple":
      return def.items.map((item, index) => [String(index), item] as const);
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "nonoptional":
    case "readonly":
    case "catch":
      return [["", def.innerType]];
    case "pipe":
      return [
        ["in", def.in],
        ["out", def.out],
      ];
    case "lazy":
      return [["lazy", def.getter()]];
    case "intersection":
      return [
        ["left", def.left],
        ["right", def.right],
      ];
    default:
      return [];
  }
}
