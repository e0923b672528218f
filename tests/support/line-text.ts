/** What a line of spans reads, without its looks. */
import type { Line } from "../../text/line.ts";

export function lineText(of: Line): string {
  return of.map((each) => each.text).join("");
}
