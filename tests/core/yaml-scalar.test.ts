/**
 * What plain scalars mean in W&B's files, Katib's and ours: a measured table of the real loaders, read from a folder beside
 * the project where that is there, and properties that need none. The loaders themselves are asked in live/yaml-peer.test.ts.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { z } from "zod";
import { expandCommand } from "../../agent/program/expand-command.ts";
import { pythonFloat } from "../../protocol/python-text.ts";
import { kubernetesScalar } from "../../spec/yaml/kubernetes-scalar.ts";
import { pyyamlScalar } from "../../spec/yaml/pyyaml-scalar.ts";
import { coreScalar } from "../../spec/yaml/core-scalar.ts";
import type { Meaning } from "../../spec/yaml/scalar.ts";
import { commandOf, readText } from "../support/read-fixture.ts";
import { plainScalar } from "../support/yaml-text.ts";

const file = join(resolve(process.env["TRIALMESH_CASES"] ?? "../shared/cases"), "yaml-scalars.json");
const row = z.object({
  scalar: z.string(),
  pyyaml: z.string(),
  wandbWord: z.string().nullable(),
  kubernetes: z.string(),
});
const rows = existsSync(file)
  ? z.object({ scalars: z.array(row) }).parse(JSON.parse(readFileSync(file, "utf8"))).scalars
  : [];
const skip = rows.length > 0 ? false : `there is no table ${file}`;

function pythonRow(meaning: Meaning): string {
  switch (meaning.kind) {
    case "fault":
      return "error";
    case "null":
      return "null";
    case "float":
      return `float ${pythonFloat(meaning.value)}`;
    case "date":
      return `${meaning.value.includes(" ") ? "timestamp" : "date"} ${meaning.value}`;
    default:
      return `${meaning.kind} ${meaning.value}`;
  }
}

function kubernetesRow(meaning: Meaning): string {
  if (meaning.kind === "fault") return "error";
  if (meaning.kind === "int" || meaning.kind === "float")
    return `number ${Object.is(meaning.value, -0) ? "-0" : meaning.value}`;
  return meaning.kind === "null" ? "null" : `${meaning.kind} ${meaning.value}`;
}

const wandb = (scalar: string) =>
  `program: a.py\nmethod: grid\nmetric: {name: m}\nparameters:\n  v: {value: ${scalar}}\n`;
const own = (scalar: string) =>
  `name: own\ncommand: [run, "\${args}"]\nobjective: {metric: m, goal: minimize}\nsearch: {method: grid, trials: 1}\nparameters:\n  v: ${scalar}\n`;
const katib = (scalar: string) => `apiVersion: kubeflow.org/v1beta1
kind: Experiment
metadata: {name: k}
spec:
  objective: {type: maximize, objectiveMetricName: m}
  algorithm: {algorithmName: grid}
  maxTrialCount: 1
  parameters: [{name: x, parameterType: int, feasibleSpace: {min: "1", max: "2"}}]
  trialTemplate:
    primaryContainerName: t
    trialParameters: [{name: x, reference: x}]
    trialSpec: {apiVersion: batch/v1, kind: Job, spec: {template: {spec: {containers: [{name: t, command: [run], args: ["\${trialParameters.x}", ${scalar}]}]}}}}
`;

/** The last word that the program of a file of one parameter gets; null where the file is refused. */
function wordOf(text: string): string | null {
  const read = readText(text);
  if (!read.ok) return null;
  const { sweep } = commandOf(text);
  const params = Object.fromEntries(
    Object.entries(sweep.space).map(([name, distribution]) => [
      name,
      distribution.distribution === "constant" ? distribution.value : 1,
    ]),
  );
  const words = expandCommand(sweep, params, {
    trial: 1,
    environment: {},
    interpreter: "python3",
    platform: "linux",
    writeFile: () => "",
  });
  return words.ok ? (words.value.at(-1) ?? null) : null;
}

/** What another reader of YAML 1.2's core schema makes of a scalar. */
function coreValue(scalar: string, intAsBigInt: boolean): unknown {
  return z.object({ v: z.unknown() }).parse(parse(`v: ${scalar}`, { intAsBigInt })).v;
}

describe("YAML-3: every scalar of the measured table", { skip }, () => {
  for (const { kubernetes, pyyaml, scalar, wandbWord } of rows) {
    const isYaml = !scalar.startsWith("@");
    test(`${scalar}: ${pyyaml} to PyYAML, ${kubernetes} to Kubernetes`, () => {
      if (isYaml) {
        assert.equal(pythonRow(pyyamlScalar(scalar)), pyyaml);
        assert.equal(kubernetesRow(kubernetesScalar(scalar)), kubernetes);
      }
      assert.equal(wordOf(wandb(scalar)), wandbWord === null ? null : `--v=${wandbWord}`, "in a W&B file");
      if (isYaml) assert.deepEqual(coreScalar(scalar).value, coreValue(scalar, false), "in a file of ours");
      const refused = kubernetes === "error";
      assert.equal(wordOf(katib(scalar)), refused ? null : scalar, "as written in an Experiment");
    });
  }
});

test("YAML-4: what a plain scalar means in our files is what YAML 1.2's core schema says", () => {
  fc.assert(
    fc.property(plainScalar, (scalar) => {
      const { value } = coreScalar(scalar);
      const expected = coreValue(scalar, true);
      assert.deepEqual(
        typeof value === "number" && typeof expected === "bigint" ? BigInt(value) : value,
        expected,
      );
    }),
    { numRuns: 1_000 },
  );
});

test("YAML-5: a whole number of any length reaches a program digit for digit, from W&B's files and ours", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }), (whole) => {
      assert.equal(wordOf(wandb(String(whole))), `--v=${whole}`);
      assert.equal(wordOf(own(String(whole))), `--v=${whole}`);
    }),
  );
});
