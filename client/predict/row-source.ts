/** Rows of a file or a stream, a block at a time: what is read is let go of before more is. Not what is made of them. */
import type { Value } from "../../protocol/value.ts";

/** A line that is no row. */
export interface BadLine {
  /** From 1. */
  readonly line: number;
  /** Its beginning. */
  readonly text: string;
  readonly reason: string;
}

export interface RowBatch {
  readonly count: number;
  /** By the names of the source, in their order: `count` values each, null where there is none. */
  readonly columns: readonly (readonly (Value | null)[])[];
  /** Of each row, from 1. */
  readonly lines: readonly number[];
  readonly bad: readonly BadLine[];
  /** Of the source that have been read by now; 0 where that is not known. */
  readonly bytes: number;
}

export interface RowSource {
  /** As people call it: its path, or `standard input`. */
  readonly title: string;
  readonly names: readonly string[];
  /** As DuckDB spells them, where the source knows the types of its columns. */
  readonly types: ReadonlyMap<string, string> | null;
  /** Null of a stream. */
  readonly bytes: number | null;
  /** What should be known of how it is read, a sentence each, without a full stop. */
  readonly notes: readonly string[];
  batches(): AsyncGenerator<RowBatch>;
}

export const excerptCharacters = 80;
