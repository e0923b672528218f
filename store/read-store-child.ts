// `node read-store-child FOLDER [compact]`: reads a store from beginning to end. Ends with 0 where all is as it was written, and
// with `foundDamage` and a line that says what is not. `compact` has what was read written anew beside it. A process of its own,
// since LMDB may end the one that reads damage.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { compactStore, inspectStore } from "./inspect-store.ts";
import { compactFile } from "./lmdb-file.ts";
import { foundDamage } from "./open-checked.ts";

const [, , path = "", compact] = process.argv;
let fault = await inspectStore(path);
if (fault === null && compact !== undefined) {
  // Where there is no room for it the store stays as it is.
  fault = await compactStore(path).catch(() => {
    rmSync(join(path, compactFile), { force: true });
    return null;
  });
}
if (fault !== null) process.stdout.write(`${fault}\n`);
process.exit(fault === null ? 0 : foundDamage);
