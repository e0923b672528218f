/** Which version a model's name stands for where none is given, and how far something is on a terminal's line. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { progressLine } from "../../cli/shell/progress-line.ts";
import { resolveModel } from "../../client/model/open-model.ts";
import type { MeshClient } from "../../protocol/client.ts";
import { accept, refuse } from "../../protocol/refusal.ts";
import { asciiGlyphs } from "../../text/glyph.ts";
import { openFakeMesh } from "../support/fake-client.ts";

/** A mesh that knows one model, and resolves only these names of it. */
function clientOf(aliases: readonly string[], known: Readonly<Record<string, number>>): MeshClient {
  const query = (name: string, body: { readonly version?: number | string }) => {
    if (name === "model")
      return Promise.resolve(accept({ aliases: aliases.map((alias) => ({ alias, version: 1 })) }));
    const version = known[String(body.version)];
    return Promise.resolve(
      version === undefined
        ? refuse("unknown", `no ${String(body.version)}`)
        : accept({ model: "mood", version, artifact: "a", from: null, why: `it is ${String(body.version)}` }),
    );
  };
  return { ...openFakeMesh().client, query } as unknown as MeshClient; // answers only what is asked here
}

const names: readonly (readonly [
  reference: string,
  aliases: readonly string[],
  known: Readonly<Record<string, number>>,
  version: number | null,
  said: readonly string[],
])[] = [
  ["mood", ["champion"], { champion: 3, best: 4 }, 3, ["mood stands for mood@3: it is champion"]],
  ["mood", ["other"], { best: 4, newest: 5 }, 4, ["mood stands for mood@4: it is best"]],
  ["mood", [], { newest: 5 }, 5, ["mood stands for mood@5: it is newest"]],
  ["mood", [], {}, null, []],
  ["mood@other", ["other"], { other: 2 }, 2, []],
  ["mood@7", [], { 7: 7 }, 7, []],
  ["mood@7@8", [], { 7: 7 }, null, []],
];

for (const [reference, aliases, known, version, said] of names)
  test(`PREDICT-6: ${reference} with ${JSON.stringify(known)} is ${version ?? "refused"}`, async () => {
    const lines: string[] = [];
    const found = await resolveModel(clientOf(aliases, known), reference, (line) => lines.push(line));
    assert.equal(found.ok ? found.value.version : null, version);
    assert.deepEqual(lines, said);
  });

test("PREDICT-6: the line of progress is written over, not more often than it can be read, and taken away", () => {
  const written: string[] = [];
  let now = 0;
  const line = progressLine(
    (text) => written.push(text),
    () => now,
    asciiGlyphs,
  );
  line.show(10, 1, 100);
  assert.equal(written.length, 0);
  now = 1_000;
  line.show(5_000, 50, 100);
  line.show(5_001, 51, 100);
  now = 2_000;
  line.show(8_000, 60, null);
  line.clear();
  line.clear();
  assert.equal(written.length, 3);
  assert.ok(written[0]?.startsWith("\r\u001b[2K"));
  assert.match(written[0] ?? "", /#+[-.]* 50% 5000 rows, 5000\/s$/u);
  assert.equal(written[1], "\r\u001b[2K8000 rows, 4000/s");
  assert.equal(written[2], "\r\u001b[2K");
  const silent = progressLine(null, () => now, asciiGlyphs);
  silent.show(1, 1, 1);
  silent.clear();
});
