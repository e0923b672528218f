// `node salvage-child FILE forward|backward`: prints what can be read of a damaged store, a line each. Ends with 0 where it came to
// the end, and by a signal where LMDB ends it. Changes nothing.

import { writeSync } from "node:fs";
import { serialize } from "node:v8";
import { jsonLine } from "../protocol/json-line.ts";
import { openEntry, openSummary, summaryKey } from "./checked-entry.ts";
import { openToRead, packerOf, table, tableOf } from "./inspect-store.ts";
import type { SalvageLine } from "./salvage-store.ts";

const [, , file = "", direction] = process.argv;
const root = openToRead(file);
const packer = packerOf(root);
const summary = attempt(() => openSummary(tableOf(root, table.about)?.get(summaryKey)));
if (summary !== null) say({ expected: summary.count });
const checked = tableOf(root, table.checked);
const entries = checked ?? tableOf(root, table.unchecked);
for (const { key, value } of entries?.getRange({ reverse: direction === "backward" }) ?? []) {
  const bytes = checked === undefined ? value : attempt(() => openEntry(key, value)?.bytes ?? null);
  const read = bytes === null ? null : attempt(() => ({ value: packer.decode(bytes) }));
  if (read !== null) say({ key, value: serialize(read.value).toString("base64") });
}
process.exit(0);

/** At once: nothing of it waits in this process for an end that may come by a signal. */
function say(line: SalvageLine): void {
  writeSync(1, `${jsonLine(line)}\n`);
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
