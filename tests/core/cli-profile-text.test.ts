/** A profile as text: findings first, rows by file and line, bounded width, and nothing of the data that steers a terminal. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before } from "node:test";
import stringWidth from "string-width";
import { profileText } from "../../cli/print/profile-text.ts";
import { profileFile } from "../../data/profile/profile-file.ts";
import type { Profile } from "../../data/profile/profile.ts";
import { unicodeGlyphs } from "../../text/glyph.ts";

const dir = mkdtempSync(join(tmpdir(), "trialmesh-profile-text-"));
after(() => rmSync(dir, { recursive: true, maxRetries: 5 }));
let profile: Profile;

before(async () => {
  const rows = [
    ...Array.from({ length: 40 }, (_, row) => ({
      body: `text number ${"abcdefghijklmnopqrst"[row % 20]}${row < 20 ? "x" : "y"} of this small set, with some length ${"long ".repeat(row)}`,
      mood: row % 2 === 0 ? "glad" : "sad",
      part: row < 30 ? "train" : "test",
      size: row % 7 === 0 ? null : row * row,
      day: `2024-01-${String(1 + (row % 28)).padStart(2, "0")}`,
    })),
    {
      body: "\u001b[31mred\u001b[0m and \u202eturned 漢字漢字漢字",
      mood: "glad",
      part: "train",
      size: 3,
      day: "2024-01-01",
    },
    {
      body: "\u001b[31mred\u001b[0m and \u202eturned 漢字漢字漢字",
      mood: "sad",
      part: "test",
      size: 4,
      day: "2024-01-01",
    },
  ];
  const path = join(dir, "moods.jsonl");
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const done = await profileFile(
    { path, text: "body", label: "mood", split: "part" },
    { workDir: dir, threads: 1, memoryMiB: 512 },
  );
  assert.ok(done.ok, done.ok ? "" : done.refusal.message);
  profile = done.value;
});

test("PROFILE-TEXT-1: findings come first, worst first, and each row is named by file and line", () => {
  const text = profileText(profile);
  const [head, findings = ""] = text.split("\n\n");
  assert.equal(head, "moods.jsonl: 42 rows (train 31, test 11), 5 columns");
  assert.match(findings.split("\n")[1] ?? "", /^bad +\d+ {2}\d+ rows? of test with a text/u);
  assert.match(
    text,
    /The same text under different labels:\n {2}moods\.jsonl:41 {2}train {2}\[glad\].*\n {2}moods\.jsonl:42 {2}test {2}\[sad\]/u,
  );
});

test("PROFILE-TEXT-2: no line is wider than asked, and every finding is told whole", () => {
  for (const width of [40, 80, 120, 200]) {
    for (const glyphs of [unicodeGlyphs, undefined]) {
      const text = profileText(profile, { width, ...(glyphs === undefined ? {} : { glyphs }) });
      for (const line of text.split("\n")) assert.ok(stringWidth(line) <= width, `${width}: ${line}`);
      const flat = text.replaceAll(/\s+/gu, " ");
      for (const { sentence } of profile.findings) assert.ok(flat.includes(sentence), sentence);
    }
  }
});

test("PROFILE-TEXT-3: escape sequences and marks that turn the direction of text stay out, with ASCII everything beyond it", () => {
  assert.doesNotMatch(
    profileText(profile, { glyphs: unicodeGlyphs }).replaceAll("\n", ""),
    /[\p{Cc}\u202e]/u,
  );
  assert.match(profileText(profile), /^[\n -~]*$/u);
});

test("PROFILE-TEXT-4: numbers, texts and dates each have their figures, and a histogram as high as its bins", () => {
  const text = profileText(profile, { glyphs: unicodeGlyphs });
  const size = text.split("\n").find((line) => line.startsWith("size"));
  assert.match(size ?? "", /^size +BIGINT +14\.3% +\d+ +1 .* 1521 {2}█/u);
  assert.match(text, /^day +DATE +0% +28 +2024-01-01 .* 2024-01-28$/mu);
  assert.match(text, /^ +words +\d+ /mu);
});
