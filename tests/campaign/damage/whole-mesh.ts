/**
 * A home with a little of everything in it, made once and copied for each case, and what is right about it: the journal's
 * messages and everybody's balance. Made through the command line, as people make theirs.
 */
import { cpSync, rmSync } from "node:fs";
import { openHome } from "../../../mesh/home.ts";
import { hashOf } from "../../../coordinator/journal/batch.ts";
import { ensureCredential } from "../../../mesh/admission.ts";
import { connectAs } from "../../../mesh/connect.ts";
import type { MeshClient } from "../../../protocol/client.ts";
import { streamsOf } from "../../../protocol/subjects.ts";
import { LiveMesh, valueOf } from "../../support/live-mesh.ts";
import { DamagePlace } from "./damage-kind.ts";

const grantTokens = "50";
export const lifeSweep = { name: "life", trials: 8, epochs: 3, milliseconds: 20, seed: 1 };
const restSweep = { name: "rest", trials: 2, epochs: 2, milliseconds: 20, seed: 2 };
const auditor = "auditor";
const messagesPerRead = 256;

/** Everybody's posted and granted milli-tokens, as text. */
export type Balances = string;

export interface WholeMesh {
  /** A fresh copy of the home, in a folder of that name. */
  copy(name: string): DamagePlace;
  discard(place: DamagePlace): void;
  environment(place: DamagePlace): Record<string, string | undefined>;
  /** Hashes of the journal's messages, in their order. */
  readonly hashes: readonly string[];
  readonly balances: Balances;
  close(): Promise<void>;
}

export async function openWholeMesh(): Promise<WholeMesh> {
  const mesh = new LiveMesh();
  const up = await mesh.up("--port", "0", "--slots", "2");
  await mesh.ok(LiveMesh.home, "account", "open", "alice", "--grant", grantTokens);
  for (const sweep of [lifeSweep, restSweep]) {
    const id = valueOf(await mesh.launch("alice", sweep));
    await mesh.ended(id);
  }
  const path = mesh.homePath(LiveMesh.home);
  // An auditor's credential from the start, so that looking changes nothing in a copy.
  const hashes = await journalHashes(path);
  const balances = await balancesOf(mesh.client);
  await up.end("SIGTERM");
  const environment = (name: string) => mesh.cli.environment(name);
  return {
    copy(name) {
      const to = mesh.homePath(name);
      cpSync(path, to, { recursive: true });
      return new DamagePlace(to, "mesh", LiveMesh.home);
    },
    discard: (place) => rmSync(place.path, { recursive: true, force: true, maxRetries: 5 }),
    environment: (place) => ({ ...environment("none"), TRIALMESH_HOME: place.path }),
    hashes,
    balances,
    close: () => mesh.close(),
  };
}

export async function balancesOf(client: MeshClient): Promise<Balances> {
  const { accounts } = valueOf(await client.query("budget", {}));
  const lines = accounts.map(({ granted, pending, posted, requester }) =>
    [requester, granted, posted, pending].join(" "),
  );
  return lines.toSorted().join("; ");
}

/** Of what the running server has, read with a coordinator's credential; `path`: of the home. */
export async function journalHashes(path: string): Promise<readonly string[]> {
  const home = valueOf(openHome(path));
  const credential = valueOf(
    await ensureCredential(home, "coordinator", auditor, Math.floor(Date.now() / 1_000)),
  );
  const bus = valueOf(await connectAs(home, credential));
  try {
    const hashes: string[] = [];
    for (;;) {
      const read = await bus.readStream(streamsOf(home.mesh).journal, hashes.length + 1, messagesPerRead);
      if (read.length === 0) return hashes;
      for (const { data, sequence } of read) {
        if (sequence !== hashes.length + 1) return hashes;
        hashes.push(hashOf(data));
      }
    }
  } finally {
    await bus.close();
  }
}
