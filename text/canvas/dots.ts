/**
 * A canvas of dots, several to a character: braille (2 by 4) or plain ASCII (1 by 1, `*`).
 * It knows columns and rows of dots, not data: scaling is the chart's.
 */
export interface Dots {
  /** Dots across and down. */
  readonly across: number;
  readonly down: number;
  set(x: number, y: number): void;
  /** A straight stroke between two dots, both included. */
  stroke(x0: number, y0: number, x1: number, y1: number): void;
  rows(): readonly string[];
}

/** Bits of a braille cell by [x][y], as Unicode numbers them from U+2800. */
const brailleBits = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;
const brailleBase = 0x2800;

/** `columns` by `rows` characters; dots outside are ignored. */
export function openDots(columns: number, rows: number, ascii: boolean): Dots {
  const perX = ascii ? 1 : 2;
  const perY = ascii ? 1 : 4;
  const across = columns * perX;
  const down = rows * perY;
  const cells = new Uint8Array(Math.max(0, columns * rows));

  function set(x: number, y: number): void {
    if (x < 0 || y < 0 || x >= across || y >= down) return;
    const at = Math.floor(y / perY) * columns + Math.floor(x / perX);
    const bit = ascii ? 1 : (brailleBits[x % 2]?.[y % 4] ?? 0);
    cells[at] = (cells[at] ?? 0) | bit;
  }

  return {
    across,
    down,
    set,
    stroke(x0, y0, x1, y1) {
      const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1);
      for (let step = 0; step <= steps; step++) {
        set(Math.round(x0 + ((x1 - x0) * step) / steps), Math.round(y0 + ((y1 - y0) * step) / steps));
      }
    },
    rows() {
      return Array.from({ length: rows }, (_, row) => {
        let text = "";
        for (let column = 0; column < columns; column++) {
          const bits = cells[row * columns + column] ?? 0;
          if (bits === 0) text += " ";
          else text += ascii ? "*" : String.fromCodePoint(brailleBase + bits);
        }
        return text.trimEnd();
      });
    },
  };
}
