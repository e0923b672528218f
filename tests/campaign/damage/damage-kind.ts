/**
 * What a kind of damage is. A file beside this one exports a list of them and is named in `../damage.ts`; nothing else is needed
 * to add one. Not here: how a case is run and judged, see `damage-case.ts`.
 */
import { join } from "node:path";
import { directoriesNamed } from "./find-folder.ts";

export interface DamageKind {
  readonly name: string;
  /** `rest`: the mesh is down. `running`: a coordinator leads. */
  readonly when: "rest" | "running";
  /** It must be noticed while the mesh runs, and not only when it starts again. */
  readonly atOnce?: boolean;
  /** With an agent, which must carry out a sweep whose trials go on from checkpoints of before, whatever is damaged. */
  readonly works?: boolean;
  /** What it destroys is held nowhere else: it is enough that this is said. */
  readonly mayBeLost?: boolean;
  /** Damages the home; `random` is uniform in [0, 1). Returns what was done, in a few words. */
  readonly apply: (place: DamagePlace, random: () => number) => string | Promise<string>;
  /** Beside journal and copy, which are always looked at: what still differs from the undamaged home, once the mesh leads. */
  readonly differences?: (place: DamagePlace) => readonly string[] | Promise<readonly string[]>;
}

/** The home that is damaged, and where things lie in it. */
export class DamagePlace {
  /** Of the home. */
  readonly path: string;
  readonly mesh: string;
  /** Of the coordinator and the agent of this home. */
  readonly name: string;
  /** Where the server answers; "" while it is down. */
  url = "";

  constructor(path: string, mesh: string, name: string) {
    this.path = path;
    this.mesh = mesh;
    this.name = name;
  }

  /** Folder of a stream on the server's disk: `JOURNAL`, `INBOX`, `BLOBS`, `METRICS`, `LOGS`. */
  streamFolder(stream: string): string {
    const [folder] = directoriesNamed(join(this.path, "server", "store"), `TM_${this.mesh}_${stream}`);
    if (folder === undefined) throw new Error(`the server's disk has no folder of stream ${stream}`);
    return folder;
  }

  /** The coordinator's copy of the journal. */
  copyFile(): string {
    return join(this.path, "coordinator", this.name, "journal-copy", "store.lmdb");
  }

  projectionFile(): string {
    return join(this.path, "coordinator", this.name, "store", "store.lmdb");
  }

  agentStoreFile(): string {
    return join(this.path, "agent", this.name, "store", "store.lmdb");
  }
}
