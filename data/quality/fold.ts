/**
 * Which fold each row is held out in: rows with the same normalised text are in one fold, and each fold has its share
 * of every label. By hash, so that the order of the rows does not matter.
 */
import { normaliseText } from "../row/split.ts";
import { tokenHash } from "./word-token.ts";

export function foldsOf(
  texts: readonly string[],
  labels: Int32Array,
  folds: number,
  seed: number,
): Int32Array {
  const salt = tokenHash(`fold ${seed}`);
  const groups = [...Map.groupBy(texts.keys(), (row) => normaliseText(texts[row] ?? ""))].map(
    ([key, rows]) => ({ order: tokenHash(key, salt), key, rows }),
  );
  const byLabel = Map.groupBy(groups, ({ rows }) => Math.min(...rows.map((row) => labels[row] ?? 0)));
  const fold = new Int32Array(texts.length);
  // One deal over all labels, so that small labels do not all begin in the first fold.
  let dealt = 0;
  for (const [, entries] of [...byLabel].sort(([a], [b]) => a - b)) {
    entries.sort((a, b) => a.order - b.order || (a.key < b.key ? -1 : 1));
    for (const { rows } of entries) {
      for (const row of rows) fold[row] = dealt % folds;
      dealt++;
    }
  }
  return fold;
}
