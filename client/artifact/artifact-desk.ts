/**
 * What the commands about artifacts work with: this machine's store, and the mesh where it can be asked. Finds an artifact by what people
 * call it: its digest or the beginning of it, or the name of a version.
 */
import { join } from "node:path";
import type { ArtifactStore } from "../../artifact/store/artifact-store.ts";
import { isFolderFile } from "../../artifact/folder/unpack-folder.ts";
import { artifactFolder, openArtifactStore } from "../../artifact/store/open-artifact-store.ts";
import { homePath, openHome } from "../../mesh/home.ts";
import { holdersAskedMax } from "../../protocol/command.ts";
import type { ArtifactHolders } from "../../protocol/holders-view.ts";
import { digestSchema, type Digest } from "../../protocol/id.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import type { Environment } from "../../system/environment.ts";
import { shortDigest } from "../../text/figure.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import { namedArtifacts, type NamedArtifact } from "./named-artifact.ts";

export interface ArtifactDesk {
  readonly store: ArtifactStore;
  /** Null where it cannot be asked. */
  readonly mesh: Connected | null;
  readonly named: readonly NamedArtifact[];
}

/** `connected` null: of this machine alone. Whoever opens it closes its store. */
export async function openDesk(
  environment: Environment,
  connected: Connected | null,
): Promise<Outcome<ArtifactDesk>> {
  const home = connected === null ? openHome(homePath(environment)) : accept(connected.home);
  if (!home.ok) return home;
  const named = connected === null ? accept([]) : await namedArtifacts(connected.client);
  if (!named.ok) return named;
  const folder = join(home.value.path, artifactFolder);
  const store = openArtifactStore({ folder, clock: systemClock, quotaBytes: null });
  return store.ok ? accept({ store: store.value, mesh: connected, named: named.value }) : store;
}

const prefixCharactersMin = 8;

/** The digest of what somebody named. */
export function findArtifact({ mesh, named, store }: ArtifactDesk, text: string): Outcome<Digest> {
  if (digestSchema.safeParse(text).success) return accept(text);
  if (text.includes("@")) return byName(named, text, mesh !== null);
  if (!/^[0-9a-f]+$/.test(text))
    return refuse("invalid", `"${text}" names no artifact; give its digest, or a version such as reviews@2`);
  if (text.length < prefixCharactersMin)
    return refuse(
      "invalid",
      `${text} is too little of a digest; give ${prefixCharactersMin} characters or more`,
    );
  const known = [...store.index.list(), ...named].map(({ digest }) => digest);
  const [first, second] = [...new Set(known)].filter((digest) => digest.startsWith(text));
  if (first === undefined)
    return refuse(
      "unknown",
      `no artifact that is known here has a digest that begins with ${text}; give all of it`,
    );
  return second === undefined
    ? accept(first)
    : refuse(
        "invalid",
        `several digests begin with ${text}, such as ${shortDigest(first)} and ${shortDigest(second)}; give more of it`,
      );
}

function byName(named: readonly NamedArtifact[], text: string, canAsk: boolean): Outcome<Digest> {
  if (!canAsk)
    return refuse("unavailable", `${text} is a name in the mesh's record, and the mesh cannot be asked`);
  const found = new Map(named.filter(({ name }) => name === text).map(({ digest, of }) => [digest, of]));
  const [first, second] = found.keys();
  if (first === undefined)
    return refuse(
      "unknown",
      `no version is called ${text}; ${suggestion(
        text,
        named.map(({ name }) => name),
      )}`,
    );
  return second === undefined
    ? accept(first)
    : refuse(
        "invalid",
        `${text} is a dataset and a model; give the digest, ${shortDigest(first)} or ${shortDigest(second)}`,
      );
}

export interface ShownArtifact {
  readonly digest: Digest;
  /** Null where nobody here knows. */
  readonly bytes: number | null;
  /** Null where its bytes are not here. */
  readonly kind: "file" | "folder" | null;
  readonly here: boolean;
  /** Null where the mesh cannot be asked. */
  readonly inMesh: boolean | null;
  /** Agents that are present and hold all of it; null where the mesh cannot be asked. */
  readonly agents: readonly string[] | null;
  readonly pinned: boolean;
  /** ms since the Unix epoch; null where it is not here. */
  readonly usedAt: number | null;
  /** Processes of this machine that read it just now. */
  readonly readers: number;
  readonly names: readonly string[];
}

export async function showArtifact(desk: ArtifactDesk, digest: Digest): Promise<ShownArtifact> {
  return shownOf(desk, digest, await holdersOf(desk, [digest]));
}

async function shownOf(
  { named, store }: ArtifactDesk,
  digest: Digest,
  holders: ReadonlyMap<Digest, ArtifactHolders>,
): Promise<ShownArtifact> {
  const told = holders.get(digest);
  const entry = store.entry(digest);
  const names = named.filter((one) => one.digest === digest);
  return {
    digest,
    bytes: entry?.bytes ?? names[0]?.bytes ?? null,
    kind: entry === null ? null : kindOf(store.pathOf(digest)),
    here: entry !== null,
    inMesh: told?.inStore ?? null,
    agents: told?.agents ?? null,
    pinned: store.pins.has(digest),
    usedAt: entry?.usedAt ?? null,
    readers: store.index.holders(digest).length,
    names: names.map(({ name }) => name),
  };
}

/** All that lie here, the last used first, and then what the record names and is not here. */
export async function listArtifacts(desk: ArtifactDesk): Promise<readonly ShownArtifact[]> {
  const here = desk.store.index.list().map(({ digest }) => digest);
  const all = [...new Set([...here, ...desk.named.map(({ digest }) => digest)])];
  const shown: ShownArtifact[] = [];
  for (let at = 0; at < all.length; at += holdersAskedMax) {
    const asked = all.slice(at, at + holdersAskedMax);
    const holders = await holdersOf(desk, asked);
    shown.push(...(await Promise.all(asked.map((digest) => shownOf(desk, digest, holders)))));
  }
  return shown;
}

/** Null where it is gone meanwhile. */
function kindOf(path: string): "file" | "folder" | null {
  try {
    return isFolderFile(path) ? "folder" : "file";
  } catch {
    return null;
  }
}

/** Empty where the mesh cannot be asked. */
async function holdersOf(
  { mesh }: ArtifactDesk,
  digests: readonly Digest[],
): Promise<ReadonlyMap<Digest, ArtifactHolders>> {
  const answer = await mesh?.client.query("holders", { digests: [...digests] });
  return new Map(answer?.ok === true ? answer.value.artifacts.map((one) => [one.digest, one]) : []);
}
