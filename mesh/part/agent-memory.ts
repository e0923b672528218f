/** What an agent keeps on its disk: its own memory, and the artifacts of its machine. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ArtifactStore } from "../../artifact/store/artifact-store.ts";
import {
  adoptCache,
  artifactFolder,
  openArtifactStore,
  refuseStored,
} from "../../artifact/store/open-artifact-store.ts";
import { bytesPerGiB } from "../../protocol/byte-unit.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import type { Store } from "../../store/store.ts";
import type { Home } from "../home.ts";
import { awaitDisk } from "./await-disk.ts";
import { agentStoreVersion, openStore } from "./open-store.ts";

/** In an agent's folder: what its attempts write, and the artifacts of before the machine had a store for them. */
export const cacheFolder = "cache";

export interface AgentMemory {
  readonly store: Store;
  readonly artifacts: ArtifactStore;
}

/** The agent's own memory, and the artifacts of the machine. Null where it is asked to stop meanwhile. */
export async function openAgentMemory(
  home: Home,
  folder: string,
  quotaGiB: number,
  say: (line: string) => void,
  asked: Promise<unknown>,
): Promise<Outcome<AgentMemory> | null> {
  const hadOne = existsSync(join(folder, cacheFolder));
  const store = await awaitDisk(
    () => openStore(join(folder, "store"), agentStoreVersion, systemClock.now(), say, hadOne),
    say,
    asked,
  );
  if (store?.ok !== true) return store;
  const artifacts = await awaitDisk(() => openArtifacts(home, folder, quotaGiB), say, asked);
  if (artifacts?.ok === true) return accept({ store: store.value, artifacts: artifacts.value });
  await store.value.close();
  return artifacts;
}

/** The machine's store of artifacts, with what this agent kept before there was one. */
async function openArtifacts(home: Home, folder: string, quotaGiB: number): Promise<Outcome<ArtifactStore>> {
  const quotaBytes = Math.round(quotaGiB * bytesPerGiB);
  const at = join(home.path, artifactFolder);
  const opened = openArtifactStore({ folder: at, clock: systemClock, quotaBytes });
  if (!opened.ok) return opened;
  try {
    await adoptCache(opened.value, join(folder, cacheFolder));
    return opened;
  } catch (error) {
    await opened.value.close();
    return refuseStored(error, at);
  }
}
