/**
 * A dataset version in memory, as training reads it: texts with labels, or a table of numbers with a target. How a
 * version is kept is `manifest/`, how it comes to be `version/`.
 */

const splitNames = ["train", "validation", "test"] as const;

export interface Example {
  readonly text: string;
  /** Index into the dataset's labels. */
  readonly label: number;
}

export interface TextDataset {
  readonly kind: "text";
  readonly name: string;
  readonly labels: readonly string[];
  readonly train: readonly Example[];
  readonly validation: readonly Example[];
  readonly test: readonly Example[];
}

/** Rows of a table as training reads them: everything a number, nothing missing. */
export interface TableRows {
  readonly count: number;
  /** [count, features], row after row. */
  readonly features: Float32Array;
  /** [count]: the index of the label, or the number to predict. */
  readonly target: Float32Array;
}

export interface TableDataset {
  readonly kind: "table";
  readonly name: string;
  /** Names of the features, in the order of the columns. */
  readonly features: readonly string[];
  /** Name of the target's column. */
  readonly target: string;
  /** What the target's indexes stand for; null where the target is a number to predict. */
  readonly labels: readonly string[] | null;
  readonly train: TableRows;
  readonly validation: TableRows;
  readonly test: TableRows;
}

export type Dataset = TextDataset | TableDataset;
export type SplitName = (typeof splitNames)[number];

/** Rows in each split. */
export function rowsOf(dataset: Dataset): Readonly<Record<SplitName, number>> {
  return dataset.kind === "text"
    ? {
        train: dataset.train.length,
        validation: dataset.validation.length,
        test: dataset.test.length,
      }
    : {
        train: dataset.train.count,
        validation: dataset.validation.count,
        test: dataset.test.count,
      };
}
