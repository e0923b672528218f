/** Tables and lists of a page about data; every cell is escaped. A table that is wider or taller than its place scrolls, by keyboard too. */
import { escapeHtml } from "../escape.ts";

export interface HtmlColumn<Row> {
  readonly head: string;
  readonly cell: (row: Row) => string;
  /** Numbers stand to the right; long texts wrap. */
  readonly kind?: "number" | "text";
}

/** The first column names the row. `begins` says where a group of rows begins. */
export function htmlTable<Row>(
  caption: string,
  rows: readonly Row[],
  columns: readonly HtmlColumn<Row>[],
  begins: (row: Row) => boolean = () => false,
): string {
  const tag = (kind: HtmlColumn<Row>["kind"]) => (kind === undefined ? "" : ` class="${kind}"`);
  const heads = columns.map(({ head, kind }) => `<th scope="col"${tag(kind)}>${escapeHtml(head)}</th>`);
  const lines = rows.map((row) => {
    const cells = columns.map(({ cell, kind }, at) => {
      const text = escapeHtml(cell(row).toWellFormed());
      return at === 0 ? `<th scope="row"${tag(kind)}>${text}</th>` : `<td${tag(kind)}>${text}</td>`;
    });
    return `<tr${begins(row) ? ' class="first-of-group"' : ""}>${cells.join("")}</tr>`;
  });
  // Outside of what scrolls, so that it can be read on a narrow page.
  const said = escapeHtml(caption);
  return `<p class="about">${said}</p><div class="scroll tall" tabindex="0" role="region" aria-label="${said}"><table><thead><tr>${heads.join("")}</tr></thead><tbody>${lines.join("")}</tbody></table></div>`;
}

export interface Remark {
  readonly severity: "bad" | "warn" | "note";
  readonly sentence: string;
}

export function remarkList(remarks: readonly Remark[], none: string): string {
  if (remarks.length === 0) return `<p>${escapeHtml(none)}</p>`;
  const items = remarks.map(
    ({ sentence, severity }) =>
      `<li><span class="severity ${severity}">${severity}</span>${escapeHtml(sentence.toWellFormed())}</li>`,
  );
  return `<ul class="findings">${items.join("")}</ul>`;
}
