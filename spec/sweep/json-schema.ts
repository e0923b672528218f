/**
 * The JSON Schema of our sweep files, made from the same shapes that read them, with every model's parameters by name.
 * It completes and checks as one types; what it cannot say (bounds, conditions, constraints) the reader tells.
 */
import * as z from "zod";
import { longText, listOf, recordOf } from "../../protocol/bound.ts";
import type { ModelDeclaration } from "../../training/task/task.ts";
import { distributionSchema } from "../../protocol/space.ts";
import { whenSchema } from "../../protocol/condition.ts";
import { valueSchema } from "../../protocol/value.ts";
import { whereKey } from "./read-space.ts";
import { commandFileSchema, datasetShape, sweepFileSchema } from "./sweep-file-shape.ts";

/** A parameter as people write it. */
const parameterSchema = z
  .union([
    valueSchema,
    listOf(valueSchema).min(1),
    z.strictObject({ values: listOf(valueSchema).min(1), when: whenSchema.optional() }),
    z.strictObject({ value: valueSchema, when: whenSchema.optional() }),
    distributionSchema,
  ])
  .meta({ id: "parameter" });

const whereSchema = z.union([longText, listOf(longText)]).meta({
  id: "where",
  description: 'Relations between parameters that must hold, such as "layers * width <= 512".',
});

const datasetSchema = z.union([
  longText.describe(
    "One that comes with trialmesh, NAME or NAME@VERSION on record in the mesh, or a dataset file.",
  ),
  datasetShape,
]);

export function sweepJsonSchema(declarations: readonly ModelDeclaration[]): unknown {
  // Models of two tasks may have one name, and not the same parameters.
  const tasks = [...new Set(declarations.map(({ task }) => task))].map((task) => {
    const spaces = declarations
      .filter((declaration) => declaration.task === task)
      .map((declaration) => [declaration.model, spaceSchema(declaration).optional()] as const);
    return sweepFileSchema
      .extend({
        task: z.literal(task),
        dataset: datasetSchema.optional(),
        datasets: listOf(datasetSchema).min(1).optional(),
        models: z.strictObject(Object.fromEntries(spaces)),
      })
      .describe(`A sweep over models of ${task}.`);
  });
  const command = commandFileSchema.extend({
    parameters: recordOf(longText.min(1), parameterSchema),
    where: whereSchema.optional(),
  });
  const both = z.union([...tasks, command.describe("A sweep over the parameters of a command.")]);
  return {
    ...z.toJSONSchema(both, { io: "input", unrepresentable: "any" }),
    title: "trialmesh sweep file",
  };
}

function spaceSchema({ about, parameters }: ModelDeclaration): z.ZodType {
  const fields = Object.entries(parameters).map(([name, spec]) => {
    const range = spec.type === "choice" ? spec.choices.map(String).join(", ") : `${spec.min} to ${spec.max}`;
    const text = `${spec.about}; ${range}, ${String(spec.default)} where it is left out`;
    return [name, parameterSchema.optional().describe(text)] as const;
  });
  return z
    .strictObject({ ...Object.fromEntries(fields), [whereKey]: whereSchema.optional() })
    .nullable()
    .describe(about);
}
