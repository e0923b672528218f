/** Where the panes of a screen go at a given width: beside each other, stacked, or one at a time. */
import { stackedFrom, threeFrom, twoFrom, type View } from "./screen-view.ts";
import { beside, besideGap, fitHeight } from "./pane.ts";
import type { Line } from "../../text/line.ts";

/** A pane draws itself into the room it gets. */
export type DrawPane = (width: number, height: number) => readonly Line[];

export interface Panes {
  readonly list: DrawPane;
  readonly detail: DrawPane;
  /** Only where three fit. */
  readonly third: DrawPane | null;
  /** Share of the width the list gets beside its detail. */
  readonly listShare: number;
  /** Rows the list asks for when stacked. */
  readonly listRows: number;
}

const stackedListRowsMin = 4;

export function arrange(view: View, panes: Panes): readonly Line[] {
  const { width, height, glyphs, ui } = view;
  const inDetail = ui.focus > 0;
  if (ui.zoomed || width < stackedFrom) {
    return fitHeight((inDetail ? panes.detail : panes.list)(width, height), height);
  }
  if (width < twoFrom) {
    const most = Math.max(stackedListRowsMin, Math.floor(height * (inDetail ? 0.3 : 0.5)));
    const listHeight = Math.min(height, Math.max(stackedListRowsMin, Math.min(panes.listRows, most)));
    return fitHeight(
      [...fitHeight(panes.list(width, listHeight), listHeight), ...panes.detail(width, height - listHeight)],
      height,
    );
  }
  const withThird = panes.third !== null && width >= threeFrom;
  const gaps = besideGap * (withThird ? 2 : 1);
  const third = withThird ? Math.floor((width - gaps) * 0.27) : 0;
  const list = Math.floor((width - gaps - third) * panes.listShare);
  const detail = width - gaps - third - list;
  const columns = [
    { width: list, lines: panes.list(list, height) },
    { width: detail, lines: panes.detail(detail, height) },
  ];
  if (withThird && panes.third !== null) columns.push({ width: third, lines: panes.third(third, height) });
  return beside(columns, height, glyphs);
}
