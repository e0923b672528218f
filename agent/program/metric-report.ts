/** What a program has said of a metric, and what of it could not be taken. How it is read stands elsewhere. */

export interface Report {
  readonly metric: string;
  /** NaN or infinite where the command said so. */
  readonly value: number;
}

/** Something stands where a number of this metric should, and is none; `written` begins like it. */
export interface UnreadValue {
  readonly kind: "value";
  readonly metric: string;
  readonly written: string;
}

/** What was not taken, to be told where a result is missing. */
export type Unread =
  | UnreadValue
  /** Of a line of so many characters no more than `read` were looked at. */
  | { readonly kind: "line"; readonly characters: number; readonly read: number }
  /** It keeps something from being told at all. */
  | { readonly kind: "silent"; readonly why: string };
