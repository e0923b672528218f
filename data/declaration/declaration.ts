/**
 * A dataset as declared: its sources, the plan that transforms them, and which columns training reads.
 * Everything that decides the bytes of a version is in it or in the sources; where files lie is not part of that.
 */
import { basename } from "node:path";
import * as z from "zod";
import { storedText, storedList } from "../../protocol/bound.ts";
import { nameSchema } from "../../protocol/name.ts";
import { sourceSchema } from "./source.ts";
import { stepSchema, type StepOf } from "./plan-step.ts";

export const badRowShareMax = 0.05;

/** Text to a label, or columns to a label or a number. */
export const formSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("text"), text: storedText.min(1), label: storedText.min(1) }),
  z.strictObject({
    kind: z.literal("table"),
    target: storedText.min(1),
    /** `auto`: a text or yes/no target is a label, any other a number. */
    task: z.enum(["auto", "classification", "regression"]).default("auto"),
    /** null: every column but the target. */
    features: storedList(storedText.min(1)).min(1).nullable().default(null),
  }),
]);
export type Form = z.infer<typeof formSchema>;

export const declarationSchema = z.strictObject({
  name: nameSchema,
  sources: storedList(sourceSchema).min(1),
  plan: storedList(stepSchema).default([]),
  form: formSchema,
  /** Share of the rows that may be rejected before the build is refused. */
  badRows: z.strictObject({ max: z.number().min(0).max(1).default(badRowShareMax) }).default({
    max: badRowShareMax,
  }),
});
export type Declaration = z.infer<typeof declarationSchema>;

/** The column of labels, or the target. */
export function labelColumn({ form }: Declaration): string {
  return form.kind === "text" ? form.label : form.target;
}

/** What is wrong with the order of the steps, by the index of the step; null where nothing is. */
export function planFault(
  declaration: Declaration,
): { readonly index: number; readonly message: string } | null {
  const { plan, form } = declaration;
  const split = plan.findIndex((step) => step.step === "split");
  for (const [index, step] of plan.entries()) {
    const fault = (message: string) => ({ index, message });
    if (
      (step.step === "split" || step.step === "features") &&
      plan.some((other, at) => at < index && other.step === step.step)
    )
      return fault(`${step.step} stands twice in the plan; once is right`);
    if (split !== -1 && index > split && step.step !== "balance" && step.step !== "features")
      return fault(`${step.step} cannot follow split; only balance and features can`);
    if (step.step === "features" && form.kind === "text")
      return fault("features is for tables; this dataset is text and a label");
    if (step.step === "features" && index !== plan.length - 1) return fault("features must be the last step");
    if (step.step === "sample" && (step.rows === undefined) === (step.share === undefined))
      return fault("sample needs either rows or share");
  }
  return null;
}

/** The split a plan asks for, or the usual one. */
export function splitOf(declaration: Declaration): StepOf<"split"> {
  const given = declaration.plan.find((step) => step.step === "split");
  if (given !== undefined) return given;
  const hasTest = declaration.sources.some((source) => "split" in source && source.split === "test");
  return { step: "split", train: hasTest ? 0.9 : 0.8, validation: 0.1, test: hasTest ? 0 : 0.1, seed: 1 };
}

/** The declaration without where its files lie: the same in every folder and on every machine. */
export function placeless(declaration: Declaration): Declaration {
  return {
    ...declaration,
    sources: declaration.sources.map((source) => {
      if (source.format === "embedded") return source;
      const { cache: _, ...rest } = source;
      return { ...rest, path: basename(source.path) };
    }),
  };
}
