/**
 * An answer as the bytes of one message. SIZE-7: one that would be larger than the server takes has its longest lists
 * shortened until it fits, and says of which how many entries are left out; one that cannot be made to fit is refused with
 * its size. What each list holds, and that there is another page to ask for, is the asker's affair.
 */
import { bytesPerKiB } from "../../protocol/byte-unit.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { refuse, type Cut, type Outcome } from "../../protocol/refusal.ts";

/** Below the server's limit of 1 MiB, with room for what is said about the cut. */
export const answerBytesMax = 960 * bytesPerKiB;
/** Each shortens one list by at least a tenth. */
const roundsMax = 200;

/** Lists whose newest entries stand last: the oldest are left out. */
const newestLast: ReadonlySet<string> = new Set(["lines", "attempts", "versions", "ledger", "events"]);
/** Curves: every so many points are left out, and the last one never. */
const curves: ReadonlySet<string> = new Set(["points", "bestSoFar"]);

export function answerBytes(what: string, answer: Outcome<unknown>): Uint8Array {
  const bytes = toBytes(answer);
  if (bytes.length <= answerBytesMax) return bytes;
  const fitted = answer.ok ? shortened(bytes) : null;
  if (fitted !== null) return fitted;
  const kib = Math.ceil(bytes.length / bytesPerKiB);
  const message = `the answer to ${what} has ${kib} KiB, more than the ${answerBytesMax / bytesPerKiB} KiB that fit one message; ask for less at once`;
  return toBytes(refuse("unavailable", message));
}

interface FoundList {
  readonly name: string;
  readonly entries: unknown[];
  readonly bytes: number;
}

/** The answer in `bytes` with shorter lists, or null where that does not help. */
function shortened(bytes: Uint8Array): Uint8Array | null {
  const answer = fromBytes(bytes);
  if (typeof answer !== "object" || answer === null) return null;
  const left = new Map<string, number>();
  let size = bytes.length;
  for (let round = 0; round < roundsMax; round++) {
    const longest = listsIn(answer, "").reduce<FoundList | null>(
      (most, list) => (most === null || list.bytes > most.bytes ? list : most),
      null,
    );
    if (longest === null || longest.entries.length === 0) return null;
    left.set(longest.name, (left.get(longest.name) ?? 0) + shorten(longest, size - answerBytesMax));
    const cut: Cut[] = Array.from(left, ([list, count]) => ({ list, left: count }));
    const fitted = toBytes({ ...answer, cut });
    size = fitted.length;
    if (size <= answerBytesMax) return fitted;
  }
  return null;
}

/** Takes out so many entries that about `excess` bytes go, a tenth at least; returns how many. */
function shorten({ bytes, entries, name }: FoundList, excess: number): number {
  const share = Math.min(1, Math.max(0.1, (1.05 * excess) / bytes));
  const count = Math.ceil(entries.length * share);
  if (curves.has(name)) {
    // Whole numbers are multiplied before they are divided, so that neither the last is lost nor the count is one off.
    const all = entries.length;
    const left = all - count;
    const placeOf = (at: number) => Math.floor((at * left) / all);
    const kept = entries.filter((_, at) => placeOf(at + 1) > placeOf(at));
    entries.splice(0, entries.length, ...kept);
  } else if (newestLast.has(name)) entries.splice(0, count);
  else entries.splice(entries.length - count);
  return count;
}

/** Every list at whatever depth, with the name of the field it stands in. */
function listsIn(value: unknown, name: string): FoundList[] {
  if (typeof value !== "object" || value === null) return [];
  if (!Array.isArray(value)) return Object.entries(value).flatMap(([key, inner]) => listsIn(inner, key));
  const entries: unknown[] = value;
  const own = { name, entries, bytes: Buffer.byteLength(JSON.stringify(entries)) };
  return [own, ...entries.flatMap((entry) => listsIn(entry, name))];
}
