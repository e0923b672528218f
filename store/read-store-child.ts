// `node read-store-child FOLDER`: reads a store from beginning to end and ends with 0 where that went well. A process of its
// own, since LMDB may end the one that reads damage.

import { openLmdbStore } from "./lmdb-store.ts";
import { readingFault } from "./open-checked.ts";

const [, , path = ""] = process.argv;
/** Any version will do: what is asked is whether it can be read. */
let opening = await openLmdbStore({ path, version: "" });
if (opening.kind === "refused" && opening.refusal.kind === "another-version")
  opening = await openLmdbStore({ path, version: opening.refusal.found });
if (opening.kind === "refused") process.exit(1);
const fault = readingFault(opening.store);
await opening.store.close();
process.exit(fault === null ? 0 : 1);
