/**
 * What lies in this home that says how far the journal once reached, beside the copies of it: where coordinators' projections
 * stand, and the signed heads that agents keep.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { headKey } from "../../agent/kept-head.ts";
import { projectionVersion } from "../../coordinator/core/projection.ts";
import type { Head } from "../../coordinator/journal/journal.ts";
import { storedPosition } from "../../coordinator/projection/projection-store.ts";
import { readHead } from "../../protocol/signed-head.ts";
import type { MeshTrust } from "../../protocol/signature.ts";
import { storeFile } from "../../store/lmdb-file.ts";
import { openCheckedStore } from "../../store/open-checked.ts";
import type { Store } from "../../store/store.ts";
import { guardedEnvironment } from "../../system/own-guard.ts";
import type { Home } from "../home.ts";
import { agentStoreVersion } from "./open-store.ts";
import { claimProcess } from "./process-lock.ts";

/** A store that cannot be read, or is in use, says nothing. `claimed`: the coordinators that the caller has claimed already. */
export async function storedHeads(
  home: Home,
  trust: MeshTrust,
  claimed: ReadonlySet<string>,
): Promise<readonly Head[]> {
  const signed = (store: Store) => {
    const proof = store.get(headKey);
    return typeof proof === "string" ? readHead(trust, home.mesh, proof) : null;
  };
  const found: (Head | null)[] = [];
  for (const name of namesIn(home, "coordinator")) {
    const version = `coordinator-${projectionVersion}`;
    const read = () => headIn(storePath(home, "coordinator", name), version, storedPosition);
    found.push(claimed.has(name) ? await read() : await whileClaimed(home, "coordinator", name, read));
  }
  for (const name of namesIn(home, "agent")) {
    const read = () => headIn(storePath(home, "agent", name), agentStoreVersion, signed);
    found.push(await whileClaimed(home, "agent", name, read));
  }
  return found.flatMap((head) => (head === null || head.sequence === 0 ? [] : [head]));
}

type Role = "agent" | "coordinator";

async function whileClaimed(
  home: Home,
  role: Role,
  name: string,
  read: () => Promise<Head | null>,
): Promise<Head | null> {
  const lock = await claimProcess(home, role, name);
  if (!lock.ok) return null;
  try {
    return await read();
  } finally {
    lock.value.release();
  }
}

async function headIn(
  path: string,
  version: string,
  read: (store: Store) => Head | null,
): Promise<Head | null> {
  const opening = await openCheckedStore({ path, version, environment: guardedEnvironment });
  if (opening.kind === "refused") return null;
  const head = read(opening.store);
  await opening.store.close();
  return head === null ? null : { sequence: head.sequence, hash: head.hash };
}

function namesIn(home: Home, role: Role): readonly string[] {
  const folder = join(home.path, role);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => existsSync(join(storePath(home, role, name), storeFile)));
}

function storePath(home: Home, role: Role, name: string): string {
  return join(home.path, role, name, "store");
}
