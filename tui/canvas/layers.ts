/**
 * Drawings of the same size on top of each other, each in a tone of its own. Braille dots of all of them show; a cell takes
 * the tone of the topmost that has something there. Knows characters only: what is drawn is the chart's.
 */
import { line, span, type Line, type Tone } from "../text/line.ts";

export interface Layer {
  readonly rows: readonly string[];
  readonly tone: Tone;
}

const brailleBase = 0x2800;
const brailleLast = 0x28ff;

/** The lowest layer first; `columns` and `rows` of characters. */
export function layered(layers: readonly Layer[], columns: number, rows: number): readonly Line[] {
  return Array.from({ length: rows }, (_, row) =>
    line(
      ...Array.from({ length: columns }, (__, column) => {
        let text = " ";
        let tone: Tone = "plain";
        for (const layer of layers) {
          const own = layer.rows[row]?.[column] ?? " ";
          if (own === " ") continue;
          text = joined(text, own);
          ({ tone } = layer);
        }
        return span(text, tone);
      }),
    ),
  );
}

function joined(below: string, above: string): string {
  const [a, b] = [below.charCodeAt(0), above.charCodeAt(0)];
  const isBraille = (code: number) => code >= brailleBase && code <= brailleLast;
  return isBraille(a) && isBraille(b) ? String.fromCharCode(a | b) : above;
}
