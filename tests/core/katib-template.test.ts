/** Katib's trial templates: what its webhook refuses is refused, and what it fills in is filled in. */
import assert from "node:assert/strict";
import test, { describe } from "node:test";
import * as fc from "fast-check";
import { expandCommand, expandEnvironment } from "../../agent/program/expand-command.ts";
import { commandOf, observationOf } from "../support/read-fixture.ts";

interface Template {
  readonly parameters?: readonly string[];
  readonly trialParameters?: readonly { readonly name: string; readonly reference: string }[] | null;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly more?: object;
  readonly spec?: object;
  readonly metadata?: object;
}

/** JSON is YAML: the file as one line, so that only its fields are looked at. */
function experimentOf(template: Template): string {
  const { args = [], env = [], metadata = {}, more = {}, parameters = ["x"], spec = {} } = template;
  const { trialParameters = parameters.map((name) => ({ name, reference: name })) } = template;
  const container = { name: "main", command: ["python3", "t.py"], args, env, ...more };
  return JSON.stringify({
    apiVersion: "kubeflow.org/v1beta1",
    kind: "Experiment",
    metadata: { name: "e", ...metadata },
    spec: {
      objective: { type: "maximize", objectiveMetricName: "acc" },
      algorithm: { algorithmName: "random" },
      maxTrialCount: 4,
      parallelTrialCount: 1,
      parameters: parameters.map((name) => ({
        name,
        parameterType: "int",
        feasibleSpace: { min: "1", max: "9" },
      })),
      trialTemplate: {
        primaryContainerName: "main",
        ...(trialParameters === null ? {} : { trialParameters }),
        trialSpec: {
          apiVersion: "batch/v1",
          kind: "Job",
          metadata: { labels: { team: "vision" }, annotations: { note: "blue" } },
          spec: { template: { spec: { containers: [container] } } },
        },
      },
      ...spec,
    },
  });
}

const x = { name: "x", reference: "x" };

describe("KATIB-8: what Katib's webhook refuses is refused where it stands", () => {
  const table: readonly [what: string, template: Template, observation: RegExp][] = [
    [
      "no trialParameters",
      { trialParameters: null, args: ["--fast"] },
      /trialTemplate\.trialParameters: is missing/,
    ],
    [
      "a list of none",
      { trialParameters: [], args: ["--fast"] },
      /parameters\.0\.name: "x" is no reference of any/,
    ],
    [
      "one that stands nowhere",
      { args: ["--fast"] },
      /trialParameters\.0\.name: \$\{trialParameters\.x\} stands nowhere/,
    ],
    [
      "a name twice",
      {
        trialParameters: [x, { name: "x", reference: "y" }],
        parameters: ["x", "y"],
        args: ["${trialParameters.x}"],
      },
      /trialParameters\.1\.name: two trialParameters are called "x"/,
    ],
    [
      "a reference twice",
      {
        trialParameters: [x, { name: "y", reference: "x" }],
        args: ["${trialParameters.x}${trialParameters.y}"],
      },
      /trialParameters\.1\.reference: two trialParameters refer to "x"/,
    ],
    [
      "a reference to nothing",
      { trialParameters: [{ name: "x", reference: "z" }], args: ["${trialParameters.x}"] },
      /trialParameters\.0\.reference: no parameter is called "z", known: x/,
    ],
    [
      "a fact that is none",
      {
        trialParameters: [x, { name: "m", reference: "${trialSpec.Mood}" }],
        args: ["${trialParameters.x}${trialParameters.m}"],
      },
      /trialParameters\.1\.reference: no parameter is called "\$\{trialSpec\.Mood\}"/,
    ],
    [
      "a label that is not there",
      {
        trialParameters: [x, { name: "m", reference: "${trialSpec.Labels[mood]}" }],
        args: ["${trialParameters.x}${trialParameters.m}"],
      },
      /the template has no metadata\.labels "mood"/,
    ],
    [
      "a brace in a name",
      { trialParameters: [{ name: "x}", reference: "x" }], args: ["--fast"] },
      /trialParameters\.0\.name: "x\}" has a brace/,
    ],
    [
      "one left over in args",
      { args: ["--x=${trialParameters.x}", "a-${trialParameters.xx}-b"] },
      /args\.1: \$\{trialParameters\.xx\} names no trial parameter, did you mean "x"\?/,
    ],
    [
      "one left over in a variable",
      { args: ["${trialParameters.x}"], env: [{ name: "A", value: "${trialParameters.a}" }] },
      /env\.0\.value: \$\{trialParameters\.a\} names no trial parameter/,
    ],
    [
      "one left over elsewhere",
      { args: ["${trialParameters.x}"], more: { resources: { limits: { cpu: "${trialParameters.cpu}" } } } },
      /resources\.limits\.cpu: \$\{trialParameters\.cpu\} names no trial parameter/,
    ],
    [
      "a parameter without a reference",
      { parameters: ["x", "y"], trialParameters: [x], args: ["${trialParameters.x}"] },
      /parameters\.1\.name: "y" is no reference of any trialParameters/,
    ],
    [
      "one that reaches no program",
      { args: ["--fast"], more: { resources: { limits: { cpu: "${trialParameters.x}" } } } },
      /trialParameters\.0\.name: .*its values would reach no program/,
    ],
    [
      "more at a time than in all",
      { args: ["${trialParameters.x}"], spec: { parallelTrialCount: 5 } },
      /parallelTrialCount: 5 is above maxTrialCount 4/,
    ],
    [
      "more failures than trials",
      { args: ["${trialParameters.x}"], spec: { maxFailedTrialCount: 5 } },
      /maxFailedTrialCount: 5 is above maxTrialCount 4/,
    ],
    [
      "the objective among the others",
      {
        args: ["${trialParameters.x}"],
        spec: { objective: { type: "maximize", objectiveMetricName: "acc", additionalMetricNames: ["acc"] } },
      },
      /additionalMetricNames: acc is objectiveMetricName already/,
    ],
    [
      "a goal that is none",
      {
        args: ["${trialParameters.x}"],
        spec: { objective: { type: "increase", objectiveMetricName: "acc" } },
      },
      /objective\.type: "increase" is none of maximize, minimize/,
    ],
    [
      "a shell's variable with a macro's name",
      { args: ["${trialParameters.x} ${program}"] },
      /args\.0: \$\{program\} has a meaning of its own here/,
    ],
  ];
  for (const [what, template, observation] of table)
    test(what, () => {
      const observations = observationOf(experimentOf(template));
      assert.equal(observations.length, 1, observations.join("\n"));
      assert.match(observations[0] ?? "", observation);
    });
});

const place = { interpreter: "python3", platform: "linux", writeFile: () => "f" } as const;

test("KATIB-9: within words, in variables and by $(NAME), every trial gets what Katib would fill in", () => {
  const { sweep } = commandOf(
    experimentOf({
      metadata: { namespace: "lab" },
      trialParameters: [
        x,
        { name: "n", reference: "${trialSpec.Name}" },
        { name: "k", reference: "${trialSpec.Kind}" },
        { name: "v", reference: "${trialSpec.APIVersion}" },
        { name: "s", reference: "${trialSpec.Namespace}" },
        { name: "l", reference: "${trialSpec.Labels[team]}" },
        { name: "a", reference: "${trialSpec.Annotations[note]}" },
      ],
      args: [
        "a${trialParameters.x}b${trialParameters.x}",
        "${trialParameters.n}/${trialParameters.k}/${trialParameters.v}/${trialParameters.s}",
        "${trialParameters.l}-${trialParameters.a}",
        "$(DEPTH) $(PATHS) $(date) $$HOME ${HOME} ${OUT:-x}",
      ],
      env: [
        { name: "DEPTH", value: "d${trialParameters.x}" },
        { name: "PATHS", value: "$(DEPTH):$(LATER)" },
        { name: "LATER", value: "l" },
      ],
    }),
  );
  const params = { x: 7 };
  const environment = expandEnvironment(sweep, params, 3);
  assert.deepEqual(environment, { DEPTH: "d7", PATHS: "d7:$(LATER)", LATER: "l" });
  const words = expandCommand(sweep, params, { ...place, trial: 3, environment });
  assert.ok(words.ok);
  assert.deepEqual(words.value, [
    "python3",
    "t.py",
    "a7b7",
    "e-3/Job/batch/v1/lab",
    "vision-blue",
    "d7 d7:$(LATER) $(date) $HOME ${HOME} ${OUT:-x}",
  ]);
});

test("KATIB-9: whatever stands around a parameter stays, and every place is filled", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", " ", "$", "{", "(", ")", "=", "'", '"', "\\", "é"),
    maxLength: 6,
  });
  fc.assert(
    fc.property(
      fc.array(text, { minLength: 2, maxLength: 4 }),
      fc.integer({ min: 1, max: 9 }),
      (around, value) => {
        // An opened brace would take the parameter's own, in Katib too.
        const pieces = around.map((piece) => piece.replaceAll(/\$\$|\$+$/g, "").replaceAll("${", ""));
        const { sweep } = commandOf(experimentOf({ args: [pieces.join("${trialParameters.x}")] }));
        const words = expandCommand(sweep, { x: value }, { ...place, trial: 1, environment: {} });
        assert.ok(words.ok);
        assert.equal(words.value[2], pieces.join(String(value)));
      },
    ),
    { numRuns: 300 },
  );
});
