/**
 * Drawings of the same size on top of each other, each in a tone of its own: a cell is that of the topmost which has something
 * there, so that a bright line hides what it crosses. Knows characters only: what is drawn is the chart's.
 */
import { line, span, type Line, type Tone } from "../line.ts";

export interface Layer {
  readonly rows: readonly string[];
  readonly tone: Tone;
}

/** The lowest layer first; `columns` and `rows` of characters. */
export function layered(layers: readonly Layer[], columns: number, rows: number): readonly Line[] {
  const topmost = layers.toReversed();
  return Array.from({ length: rows }, (_, row) =>
    line(
      ...Array.from({ length: columns }, (__, column) => {
        const at = (layer: Layer) => layer.rows[row]?.[column] ?? " ";
        const found = topmost.find((layer) => at(layer) !== " ");
        return found === undefined ? span(" ") : span(at(found), found.tone);
      }),
    ),
  );
}
