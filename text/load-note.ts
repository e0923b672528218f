/** What is said of a speed that was measured while others used the machine. One sentence for all who show it. */
import { percent } from "./figure.ts";

/** `load`: what others had of the processors, 0 to 1; undefined where that was little. Null where nothing is to be said. */
export function loadNote(load: number | undefined): string | null {
  return load === undefined ? null : `measured while others used ${percent(load)} of the processors`;
}
