/** Inputs of the kind "data" that once failed: see tests/support/case-place.ts. Built on this machine, without a mesh. */
import assert from "node:assert/strict";
import { z } from "zod";
import { testCases, type CasePlace } from "../support/case-place.ts";

/** What a preview prints, and the build that a profile of the file makes, which must end alike. */
async function bothOf(place: CasePlace) {
  const file = `${place.case.id}.yaml`;
  const preview = await place.run(`trialmesh dataset preview ${file}`);
  const built = await place.run(`trialmesh dataset profile ${file} --no-label-errors`);
  assert.equal(preview.code, built.code, `${preview.all}\n${built.all}`);
  return { preview, built };
}

const printed = z.object({
  profile: z.object({
    rows: z.number(),
    columns: z.array(
      z.looseObject({ name: z.string(), kind: z.string(), distinct: z.object({ estimate: z.number() }) }),
    ),
    labels: z.object({ overall: z.array(z.object({ label: z.string(), rows: z.number() })) }).nullable(),
  }),
});

async function profileOf(place: CasePlace) {
  const { code, err, out } = await place.run(
    `trialmesh dataset profile ${place.case.id}.yaml --no-label-errors --json`,
  );
  assert.equal(code, 0, err);
  return printed.parse(JSON.parse(out)).profile;
}

async function labelsOf(place: CasePlace) {
  const { labels } = await profileOf(place);
  return Object.fromEntries((labels?.overall ?? []).map(({ label, rows }) => [label, rows]));
}

async function trimmed(place: CasePlace): Promise<void> {
  const { built, preview } = await bothOf(place);
  assert.equal(preview.code, 0);
  for (const { all } of [preview, built])
    assert.match(all, /\d+ rows with white space at the ends of label, which was trimmed/u);
  assert.deepEqual(await labelsOf(place), { ham: 30, spam: 30 });
}

const farOut = (line: number, column: string, value: RegExp) => async (place: CasePlace) => {
  const { built, preview } = await bothOf(place);
  for (const { all } of [preview, built]) {
    assert.match(
      all,
      new RegExp(
        `line ${line}, column ${column}, "${value.source}": it is larger than .*3\\.4e38.*filter.*badRows`,
        "u",
      ),
    );
    assert.doesNotMatch(all, /Type DOUBLE|be cast/u);
  }
};

const moments =
  (...shown: readonly string[]) =>
  async (place: CasePlace) => {
    const { preview } = await bothOf(place);
    assert.equal(preview.code, 0);
    for (const one of shown) assert.ok(preview.out.includes(one), preview.out);
  };

const named = (sentence: RegExp) => async (place: CasePlace) => {
  const { code, all } = await place.run();
  assert.notEqual(code, 0);
  assert.match(all, sentence);
  assert.equal(all.trim().split("\n").length, 1, all);
};

const secondsMost = 30;

testCases("data", {
  "label-tab": trimmed,
  "label-zero-width": async (place) => {
    const { built, preview } = await bothOf(place);
    for (const { all } of [preview, built]) {
      assert.match(all, /look the same and are different: "ham", "\\u\{200b\}ham"/u);
      assert.match(all, /"spam", "\\u\{2060\}spam"/u);
    }
    assert.match(built.out, /^\\u\{200b\}ham +15/mu);
  },
  "label-ws-jsonl": trimmed,
  "label-20-digits": async (place) => {
    await bothOf(place);
    const labels = ["98765432109876543210", "98765432109876543211", "98765432109876543212"];
    assert.deepEqual(Object.keys(await labelsOf(place)).toSorted(), labels);
  },
  "label-19-digits": async (place) => {
    await bothOf(place);
    const labels = Object.keys(await labelsOf(place));
    assert.equal(labels.length, 2);
    for (const label of labels) assert.match(label, /^\d{19}$/u);
  },
  "group-26-digits": async (place) => {
    const { preview } = await bothOf(place);
    assert.equal(preview.code, 0);
    const patient = (await profileOf(place)).columns.find(({ name }) => name === "patient");
    assert.equal(patient?.distinct.estimate, 12);
  },
  "feature-id-26-digits": async (place) => {
    const { preview } = await bothOf(place);
    assert.match(preview.out, /60550122334455667788990000/u);
    const account = (await profileOf(place)).columns.find(({ name }) => name === "account");
    assert.deepEqual([account?.kind, account?.distinct.estimate], ["text", 12]);
  },
  "feature-1e200": farOut(43, "span", /4\.5e\+200/u),
  "feature-1e39-jsonl": farOut(13, "span", /-7e\+39/u),
  "target-1e45": farOut(32, "price", /2e\+45/u),
  "linked-files": async (place) => {
    await place.run("sh linked-files.sh");
    await bothOf(place);
    assert.deepEqual(await labelsOf(place), { ash: 24, elm: 24, oak: 24, yew: 24 });
  },
  "time-space": moments("2022-08-01 00:00:10", "2022-08-02 07:11:10"),
  "time-t-zone": moments("2022-07-31 21:00:10", "2022-08-02 14:11:10"),
  "time-zone-stated": moments("2022-07-31 21:00:10", "2022-08-02 14:11:10"),
  "day-only": async (place) => {
    const { preview } = await bothOf(place);
    assert.match(preview.out, /2022-08-01 /u);
    assert.doesNotMatch(preview.out, /\d:\d\d/u);
  },
  "lfs-csv": named(
    /lfs-csv\.csv is a Git LFS pointer to a file of 80\.0 KiB that is not here; `git lfs pull` brings it/u,
  ),
  "lfs-parquet": named(/lfs-parquet\.parquet is a Git LFS pointer to a file of 80\.0 KiB/u),
  workbook: named(/workbook\.csv is a ZIP archive, such as an Excel workbook; save its table as CSV/u),
  "wide-table": async (place) => {
    await place.run("python3 wide-table.py");
    const started = performance.now();
    const { code, all } = await place.run("trialmesh dataset preview wide-table.yaml");
    assert.equal(code, 0, all);
    assert.ok(performance.now() - started < secondsMost * 1000);
  },
});
