/**
 * SERVE-18. Keeps the serving profiles of this home: every 45 s what each watched version was asked goes behind what its file has, so that a
 * kill loses no more, and servers one after the other and beside each other add up. What has drifted since is said anew then.
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ColumnDrift } from "../../data/drift/column-drift.ts";
import type { Profile } from "../../data/profile/profile.ts";
import { profileDrift } from "../../data/drift/profile-drift.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import {
  servingProfileSchema,
  wholePart,
  withPart,
  type ServingPart,
  type ServingProfile,
} from "../../serving/profile/serving-profile.ts";
import type { ServingWatch } from "../../serving/profile/serving-watch.ts";
import { tryLock } from "../../system/folder-lock.ts";
import { makeFolder } from "../../system/make-folder.ts";
import { writeWhole } from "../../system/whole-file.ts";

export const keepMs = 45_000;
/** Of fewer rows a distance is chance. */
export const driftRowsMin = 200;

export interface Reference {
  /** `reviews@3`, or what it is called. */
  readonly name: string;
  readonly profile: Profile;
}

export interface ProfileKeeperOptions {
  /** Null: nothing is written, and profiles last as long as the program. */
  readonly folder: string | null;
  readonly say: (line: string) => void;
}

interface Kept {
  readonly model: ServedModel;
  readonly watch: ServingWatch;
  readonly reference: Promise<Reference | null>;
  /** Taken and not written yet. */
  pending: ServingPart | null;
  /** What tells the file as it was written last from one that somebody else wrote; null where there is none. */
  written: string | null;
}

export class ProfileKeeper {
  readonly #options: ProfileKeeperOptions;
  readonly #kept = new Set<Kept>();
  #keeping: Promise<void> | null = null;
  #isTroubled = false;

  constructor(options: ProfileKeeperOptions) {
    this.#options = options;
  }

  /** `reference`: a profile of what it was trained on; null where that is not to be had. Returns what ends it, with what was seen last. */
  watch(
    model: ServedModel,
    watch: ServingWatch,
    reference: () => Promise<Reference | null>,
  ): () => Promise<void> {
    const kept: Kept = {
      model,
      watch,
      pending: null,
      written: null,
      reference: reference().catch(() => null),
    };
    this.#kept.add(kept);
    return async () => {
      await this.keep();
      this.#kept.delete(kept);
    };
  }

  /** Of all, one after the other. */
  keep(): Promise<void> {
    const before = this.#keeping ?? Promise.resolve();
    this.#keeping = before.then(() => this.#keepAll());
    return this.#keeping;
  }

  async #keepAll(): Promise<void> {
    for (const one of this.#kept) {
      try {
        await this.#keepOne(one);
        this.#isTroubled = false;
      } catch (fault) {
        if (!this.#isTroubled)
          this.#options.say(`serving profiles cannot be kept: ${errorSentence(fault)}; they are tried again`);
        this.#isTroubled = true;
      }
    }
  }

  async #keepOne(one: Kept): Promise<void> {
    const { model, watch } = one;
    for (const sentence of watch.expectations?.judge() ?? [])
      this.#options.say(`${model.model}@${model.version}: ${sentence}`);
    const taken = await watch.take(pause);
    if (taken !== null)
      one.pending = one.pending === null ? taken : await pendingWith(one, one.pending, taken);
    const isNew = one.pending !== null;
    watch.kept = await this.#join(one);
    if (isNew || watch.whole === null) await this.#compare(one);
  }

  /** With what the file has, if it is of this version, and into it. */
  async #join(one: Kept): Promise<ServingProfile | null> {
    const { folder } = this.#options;
    const { model, pending, watch } = one;
    if (folder === null) {
      one.pending = null;
      return joined(one.model, watch.kept, pending);
    }
    const name = `${encodeURIComponent(model.model)}@${model.version}`;
    await makeFolder(folder);
    const claim = tryLock(folder, name);
    // Another server of this home is at it: what is pending goes with the next.
    if (!claim.held) return watch.kept;
    try {
      const file = join(folder, `${name}.json`);
      const known = await this.#known(one, file);
      const next = await joined(model, known, pending);
      if (pending !== null && next !== null) await writeWhole(file, JSON.stringify(next));
      one.written = await stamp(file);
      one.pending = null;
      return next;
    } finally {
      claim.lock.release();
    }
  }

  /** What the file has; it is not read again where nobody else has written it. */
  async #known({ model, watch, written }: Kept, file: string): Promise<ServingProfile | null> {
    const now = await stamp(file);
    return written !== null && written === now ? watch.kept : readKept(file, model);
  }

  async #compare({ reference, watch }: Kept): Promise<void> {
    const { kept } = watch;
    if (kept === null) return;
    watch.whole = await wholePart(kept, pause);
    const { profile } = watch.whole;
    const known = await reference;
    if (known === null || profile.rows < driftRowsMin) return;
    const columns: ColumnDrift[] = [];
    for (const column of profileDrift(known.profile, profile)) {
      columns.push(column);
      await pause();
    }
    watch.drift = { reference: known.name, rows: { a: known.profile.rows, b: profile.rows }, columns };
  }
}

const pause = () => nextTurn();

async function stamp(file: string): Promise<string | null> {
  const found = await stat(file).catch(() => null);
  return found === null ? null : `${found.ino} ${found.mtimeMs} ${found.size}`;
}

async function pendingWith({ model }: Kept, before: ServingPart, taken: ServingPart): Promise<ServingPart> {
  const first = await joined(model, null, before);
  const both = await joined(model, first, taken);
  return both === null ? taken : wholePart(both, pause);
}

/** What does not merge with it, as of another make of trialmesh, is let go. */
async function joined(
  { digest, model, signature, version: modelVersion }: ServedModel,
  known: ServingProfile | null,
  part: ServingPart | null,
): Promise<ServingProfile | null> {
  if (part === null) return known;
  const merged = known === null ? null : await withPart(known, part, pause);
  if (merged !== null) return merged;
  const { inputs, labels, target } = signature;
  return {
    ...{ format: "trialmesh-serving-profile", version: 1, model, modelVersion, digest },
    ...{ inputs: [...inputs], labels: labels === null ? null : [...labels], target },
    ...part,
  };
}

/** Null where there is none of this version, or it is not whole. */
async function readKept(file: string, { digest }: ServedModel): Promise<ServingProfile | null> {
  const text = await readFile(file, "utf8").catch(() => null);
  if (text === null) return null;
  try {
    const parsed = servingProfileSchema.safeParse(JSON.parse(text));
    return parsed.success && parsed.data.digest === digest ? parsed.data : null;
  } catch {
    return null;
  }
}
