/** `dataset profile` of one set in several parts, wherever they were profiled: what it says is what it says of the whole. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as z from "zod";
import { program } from "../../cli/command-tree.ts";
import { profileSchema, type Profile } from "../../data/profile/profile.ts";
import { mix } from "../../numeric/mix.ts";
import type { ExitCode } from "../../protocol/exit-code.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-profile-parts-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

interface Run {
  readonly code: ExitCode | null;
  readonly out: string;
  readonly note: string;
}

async function run(...words: string[]): Promise<Run> {
  let out = "";
  let note = "";
  let code: ExitCode | null = null;
  await program({
    environment: { TRIALMESH_HOME: join(folder, "home") },
    interactive: false,
    columns: 100,
    out: (text) => void (out += `${text}\n`),
    pour: () => assert.fail("nothing is for another program"),
    note: (text) => void (note += `${text}\n`),
    last: () => undefined,
    finish: (ended) => void (code = ended),
    connect: () => assert.fail("no mesh is asked"),
  }).parseAsync(["node", "trialmesh", "dataset", "profile", ...words]);
  return { code, out, note };
}

async function profileOf(...words: string[]): Promise<Profile> {
  const { code, note, out } = await run(...words, "--json");
  assert.equal(code, 0, note);
  return z.object({ profile: profileSchema, errors: z.null(), manifest: z.null() }).parse(JSON.parse(out))
    .profile;
}

/** Normalising makes all digits alike, so these are letters. */
const word = (row: number) =>
  (mix(row) >>> 0).toString(26).replaceAll(/\d/gu, (digit) => "qrstuvwxyz"[Number(digit)] ?? "");
const rows = Array.from({ length: 900 }, (_, row) => {
  const amount = row % 11 === 3 ? "" : String((mix(row) >>> 8) / 1000);
  return `${row % 3 === 0 ? "yes" : "no"},${amount},"a text about ${word(row % 849)}, ${row % 3 === 0 ? "indeed" : "hardly"}"`;
});
const cuts = [0, 200, 550, 900];
const columns = ["--text", "said", "--label", "answer"];
const path = (name: string) => join(folder, name);
const parts = ["one.csv", "two.csv", "three.csv"].map(path);
let whole: Profile;

before(async () => {
  const write = (file: string, some: readonly string[]) =>
    writeFileSync(file, `answer,amount,said\n${some.join("\n")}\n`);
  write(path("whole.csv"), rows);
  for (const [at, part] of parts.entries()) write(part, rows.slice(cuts[at], cuts[at + 1]));
  whole = await profileOf(path("whole.csv"), ...columns);
});

/** What is exact in a merged profile, the order of labels aside. */
function exact(profile: Profile) {
  const rounded = (value: number) => Number(value.toPrecision(10));
  const amount = profile.columns.find(({ name }) => name === "amount");
  assert.ok(amount?.kind === "number");
  const { count, max, mean, min, sd } = amount.values;
  return {
    rows: profile.rows,
    columns: profile.columns.map(({ distinct, kind, missing, name }) => ({ distinct, kind, missing, name })),
    labels: profile.labels?.overall.toSorted((a, b) => (a.label < b.label ? -1 : 1)),
    amount: [count, min, max, ...[mean, sd].map((value) => rounded(value ?? Number.NaN))],
  };
}

test("PROFILE-14: parts make the profile of the whole, in any order, with names and sources of all", async () => {
  const spoken = [];
  for (const order of [parts, parts.toReversed()]) {
    const merged = await profileOf(...order, ...columns);
    spoken.push(merged.text?.tokens.map(({ label, token, z: weight }) => [token, label, weight.toFixed(9)]));
    assert.deepEqual(exact(merged), exact(whole));
    assert.deepEqual(merged.files.toSorted(), ["one.csv", "three.csv", "two.csv"]);
    assert.equal(merged.name.split(", ").length, 3);
    const [found, truth] = [merged.text?.exact, whole.text?.exact];
    assert.ok(found?.estimated === true && truth?.estimated === false);
    assert.equal(truth.extraRows, 51);
    assert.ok(
      Math.abs(found.extraRows - truth.extraRows) <= 5 * 0.0081 * rows.length,
      String(found.extraRows),
    );
  }
  const [forwards = [], backwards = []] = spoken.map((tokens) => tokens?.toSorted());
  assert.ok(forwards.length >= 2);
  assert.deepEqual(backwards, forwards);
});

test("PROFILE-15: parts that were profiled elsewhere merge as if they had been here", async () => {
  const profiles = [];
  for (const [at, part] of parts.entries()) {
    const file = path(`machine-${at + 1}.json`);
    writeFileSync(file, (await run(part, ...columns, "--json")).out);
    profiles.push(file);
  }
  const [first = "", ...rest] = profiles;
  assert.deepEqual(await profileOf(...profiles), await profileOf(...parts, ...columns));
  assert.deepEqual(await profileOf(first), await profileOf(parts[0] ?? "", ...columns));
  const page = path("merged.html");
  const { code, note, out } = await run(first, ...rest, "--html", page);
  assert.equal(code, 0);
  assert.match(out, /one\.csv, two\.csv, three\.csv/);
  assert.match(out, /900/);
  assert.match(note, /merged from 3 profiles: repeats across them are estimated/);
  assert.match(readFileSync(page, "utf8"), /Dataset one\.csv, two\.csv, three\.csv/);
});

test("PROFILE-16: what is no part is refused with what would be right", async () => {
  const [one = "", two = ""] = parts;
  writeFileSync(path("other.csv"), "answer,other\nyes,1\n");
  writeFileSync(path("none.json"), '{"profile": {"format": "something"}}');
  writeFileSync(path("torn.json"), '{"profile": ');
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[one, two, one], /one\.csv is given twice/],
    [[one, path("other.csv"), "--label", "answer"], /do not merge: only one\.csv has a column amount/],
    [[one, path("none.json")], /none\.json is no profile \(field profile\.format: .*--json/],
    [[path("torn.json"), one], /torn\.json is no profile/],
    [[one, path("absent.json")], /there is no file .*absent\.json; give what .*--json/],
    [[one, path("absent.csv")], /absent\.csv: there is no such file/],
  ];
  for (const [words, expected] of cases) {
    const { code, note, out } = await run(...words);
    assert.equal(code, 1, out);
    assert.match(note, expected);
  }
});
