/** What a program without a command line calls: plain arguments in, outcomes out, progress by a callback. */
import assert from "node:assert/strict";
import test from "node:test";
import { checkDataset } from "../../client/dataset/check-dataset.ts";
import { diffVersions } from "../../client/dataset/diff-versions.ts";
import { profileDataset } from "../../client/dataset/profile-dataset.ts";
import { proposeTrial, readParams } from "../../client/sweep/hand-proposal.ts";
import type { MeshClient } from "../../protocol/client.ts";
import { accept } from "../../protocol/refusal.ts";
import { buildFolder, put } from "../support/dataset-build.ts";
import { openFakeMesh } from "../support/fake-client.ts";

const said: string[] = [];
const surroundings = {
  environment: { TRIALMESH_CACHE: buildFolder },
  say: (line: string) => void said.push(line),
};

function datasetFile(name: string, more = ""): string {
  const lines = Array.from(
    { length: 40 },
    (_, row) => `${row % 2 === 0 ? "good" : "bad"},a text ${String.fromCodePoint(0x4e00 + row)}`,
  );
  put(`${name}.csv`, ["label,text", ...lines, ""].join("\n"));
  return put(
    `${name}.yaml`,
    `name: ${name}\nsources: [{ path: ${name}.csv }]\nplan: [{ split: { train: 0.5, validation: 0.5, test: 0 } }]\ntext: text\nlabel: label\n${more}`,
  );
}

test("CLIENT-1: a dataset is checked, profiled and compared without a command line", async () => {
  const held = await checkDataset({ dataset: datasetFile("held", "expect: [no-conflicts]\n") }, surroundings);
  assert.ok(held.ok && held.value.passed, JSON.stringify(held));
  const silent = await checkDataset({ dataset: datasetFile("silent") }, surroundings);
  assert.match(silent.ok ? "" : silent.refusal.message, /says nothing of what is expected/u);
  const profiled = await profileDataset(
    { parts: [put("raw.csv", "a,b\n1,x\n2,y\n")], labelErrors: true },
    surroundings,
  );
  assert.ok(profiled.ok && profiled.value.manifest === null, JSON.stringify(profiled));
  const file = datasetFile("held", "expect: [no-conflicts]\n");
  const same = await diffVersions({ dataset: file }, { dataset: file }, surroundings);
  assert.ok(same.ok && !same.value.drifted, JSON.stringify(same));
  assert.ok(said.length > 0, "progress comes by the callback");
});

test("CLIENT-2: words become parameters: scalars as such, the rest as text; slips are refusals", () => {
  const read = readParams(["lr=0.3", "big=true", 'id="16"', "unit=word", "eq=a=b"]);
  assert.deepEqual(read.ok && read.value, { lr: 0.3, big: true, id: "16", unit: "word", eq: "a=b" });
  for (const [words, why] of [
    [["lr"], /"lr" is no parameter/u],
    [["=1"], /"=1" is no parameter/u],
    [["a=1", "a=2"], /parameter a is given twice/u],
  ] as const) {
    const refused = readParams(words);
    assert.match(refused.ok ? "" : refused.refusal.message, why);
  }
});

test("CLIENT-2: a proposal names its model where the sweep has several", async () => {
  const { client } = openFakeMesh();
  const sent: unknown[] = [];
  const mesh = (models: readonly string[]): MeshClient => ({
    ...client,
    query: async () => accept({ models }) as never,
    command: async (_, body) => {
      sent.push(body);
      return accept({ trial: "s1-1", known: false }) as never;
    },
  });
  const several = await proposeTrial(mesh(["linear", "textcnn"]), "s1", { lr: 1 });
  assert.match(
    several.ok ? "" : several.refusal.message,
    /several models; say which with --model: linear, textcnn/u,
  );
  const one = await proposeTrial(mesh(["linear"]), "s1", { lr: 1 });
  assert.deepEqual(one, accept({ trial: "s1-1", known: false, model: "linear" }));
  assert.deepEqual(sent, [{ sweep: "s1", model: "linear", params: { lr: 1 } }]);
});
