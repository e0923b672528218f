/**
 * A dataset given inside a sweep file: the name of one that comes with trialmesh, or files of labelled lines. Short for a
 * declaration: official splits are kept, what is missing of validation and test is carved off the training rows.
 */
import { languageIdName } from "../row/language-id.ts";
import type { Declaration } from "./declaration.ts";
import type { Source } from "./source.ts";
import type { Step } from "./plan-step.ts";
import { badRowShareMax } from "./declaration.ts";

export type DatasetDeclaration =
  | { readonly format: "embedded"; readonly name: string }
  | {
      readonly format: "labelled-lines";
      readonly name: string;
      /** Absolute paths. */
      readonly train: string;
      readonly dev?: string | undefined;
      readonly test?: string | undefined;
      /** Raw label to the name it should have; a raw label left out keeps its own. */
      readonly labels?: Readonly<Record<string, string>> | undefined;
    };

export const embeddedDatasetNames = [languageIdName] as const;
const heldOutShare = 0.1;

export function declarationOf(dataset: DatasetDeclaration): Declaration {
  const form = { kind: "text", text: "text", label: "label" } as const;
  const badRows = { max: badRowShareMax };
  if (dataset.format === "embedded")
    return {
      name: dataset.name,
      sources: [{ format: "embedded", name: dataset.name }],
      plan: [],
      form,
      badRows,
    };
  const { train, dev, test, labels } = dataset;
  const files = [
    { path: train, split: "train" },
    ...(dev === undefined ? [] : [{ path: dev, split: "validation" } as const]),
    ...(test === undefined ? [] : [{ path: test, split: "test" } as const]),
  ] as const;
  const [validationShare, testShare] = [
    dev === undefined ? heldOutShare : 0,
    test === undefined ? heldOutShare : 0,
  ];
  const map = Object.entries(labels ?? {});
  const plan: Step[] = [
    ...(map.length === 0 ? [] : [{ step: "map-label", column: "label", map, unknown: "keep" } as const]),
    {
      step: "split",
      train: 1 - validationShare - testShare,
      validation: validationShare,
      test: testShare,
      seed: 1,
    },
  ];
  const sources = files.map((file): Source => ({ format: "labelled-lines", encoding: "auto", ...file }));
  return { name: dataset.name, sources, plan, form, badRows };
}
