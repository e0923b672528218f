/** A row of a dataset version with where it came from, as the judges of data read it. */

export interface LabelledRow {
  /** Empty where the data has no splits. */
  readonly split: string;
  /** Base name of the source; empty where that is not known. */
  readonly file: string;
  /** Counted from 1; null where the data has no lines. */
  readonly line: number | null;
  readonly text: string;
  /** Index into the dataset's labels. */
  readonly label: number;
}
