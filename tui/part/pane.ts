/** Panes: a titled stretch of lines, and several of them beside or below each other. No borders around, one rule between. */
import type { Glyphs } from "../../text/glyph.ts";
import { blank, clipLine, line, padLine, span, type Line } from "../../text/line.ts";
import { widthOf } from "../../text/width.ts";

/** Exactly `height` lines: cut, or filled with blank ones. */
export function fitHeight(lines: readonly Line[], height: number): readonly Line[] {
  if (height <= 0) return [];
  if (lines.length >= height) return lines.slice(0, height);
  return [...lines, ...Array.from({ length: height - lines.length }, () => blank)];
}

/** A title on a rule, as wide as the pane: `─ Agents ────`. A focused pane's title is marked. */
export function heading(text: string, width: number, focused: boolean, glyphs: Glyphs): Line {
  const mark = focused ? `${glyphs.cursor} ` : `${glyphs.across} `;
  const title = `${text} `;
  const rest = Math.max(0, width - widthOf(mark) - widthOf(title));
  return clipLine(
    line(
      span(mark, focused ? "accent" : "dim"),
      span(title, focused ? "accent" : "title"),
      span(glyphs.across.repeat(rest), "dim"),
    ),
    width,
    glyphs.ellipsis,
  );
}

export interface Column {
  readonly width: number;
  readonly lines: readonly Line[];
}

/** Columns beside each other, with a rule and a blank on both sides of it between them: 3 columns wide. */
export function beside(columns: readonly Column[], height: number, glyphs: Glyphs): readonly Line[] {
  const fitted = columns.map((each) => ({ ...each, lines: fitHeight(each.lines, height) }));
  return Array.from({ length: Math.max(0, height) }, (_, row) =>
    fitted.flatMap((each, index) => {
      const own = each.lines[row] ?? blank;
      const isLast = index === fitted.length - 1;
      return isLast
        ? clipLine(own, each.width, glyphs.ellipsis)
        : [...padLine(own, each.width, glyphs.ellipsis), span(` ${glyphs.down} `, "dim")];
    }),
  );
}
export const besideGap = 3;
