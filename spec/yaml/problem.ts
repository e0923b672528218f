/**
 * What is wrong with a sweep file: one line of the file, one field, one sentence.
 * A file is read to its end, so that all its problems are reported at once.
 */

export interface Problem {
  /** Counted from 1. */
  readonly line: number;
  /** Outermost first; empty when the whole file is to blame. */
  readonly field: readonly (string | number)[];
  readonly message: string;
}

export function formatProblem(file: string, problem: Problem): string {
  const where = problem.field.length === 0 ? "" : ` field ${problem.field.join(".")}:`;
  return `${file}:${problem.line}:${where} ${problem.message}`;
}

/** In the file's order, one line each, no line twice. */
export function formatProblems(file: string, problems: readonly Problem[]): string {
  const sorted = problems.toSorted((a, b) => a.line - b.line);
  return [...new Set(sorted.map((problem) => formatProblem(file, problem)))].join("\n");
}
