/**
 * A program's checkpoint folder as an artifact: packed when it has changed, never while files in it are being written. What
 * the files mean is the program's own business.
 */
import { existsSync } from "node:fs";
import { systemCode } from "../../system/system-error.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { CheckpointFile } from "../runner/runner.ts";
import { writeCheckpoint } from "../runner/write-checkpoint.ts";
import { encodeBundle } from "./bundle.ts";
import { listFolder, packFolder, type PackOptions } from "./bundle-folder.ts";
import type { SegmentNote } from "./lease-segment.ts";
import { makeFolder } from "../../system/make-folder.ts";

const limits: PackOptions = {
  maxMiB: 512,
  maxFiles: 5_000,
  only: null,
  what: "the checkpoint folder",
  advice: "keep the last checkpoint only",
};
/** A folder that changes while it is read is read again so often. */
const looksMax = 3;

export class CheckpointFolder {
  readonly #folder: string;
  readonly #workDir: string;
  readonly #name: string;
  /** How the folder looked when it was packed last. */
  #packed = "";
  #count = 0;

  constructor(folder: string, workDir: string, name: string) {
    this.#folder = folder;
    this.#workDir = workDir;
    this.#name = name;
  }

  async make(): Promise<void> {
    await makeFolder(this.#folder, 0o700);
  }

  /** What is in it now counts as kept. */
  async settle(): Promise<void> {
    const look = await this.#look();
    if (look.ok && look.value !== null) this.#packed = look.value;
  }

  async isEmpty(): Promise<boolean> {
    const look = await this.#look();
    return look.ok && look.value === "";
  }

  /** Null where nothing has changed since it was packed last, or it is being written just now. */
  async packIfChanged(note: SegmentNote): Promise<Outcome<CheckpointFile | null>> {
    const look = await this.#look();
    if (!look.ok) return look;
    if (look.value === null || look.value === this.#packed || look.value === "") return accept(null);
    return this.#pack(note, look.value);
  }

  /** As it is now; with nothing but the note where it is too big, for which the refusal says why. */
  async packWhole(
    note: SegmentNote,
  ): Promise<{ readonly file: CheckpointFile; readonly fault: string | null }> {
    for (let looks = 0; looks < looksMax; looks++) {
      const look = await this.#look();
      if (!look.ok) return { file: await this.#write([], note), fault: look.refusal.message };
      if (look.value === null) continue;
      const packed = await this.#pack(note, look.value);
      if (!packed.ok) return { file: await this.#write([], note), fault: packed.refusal.message };
      if (packed.value !== null) return { file: packed.value, fault: null };
    }
    return {
      file: await this.#write([], note),
      fault: "the checkpoint folder did not stop changing, and was not kept",
    };
  }

  /** Null where it changed meanwhile. */
  async #pack(note: SegmentNote, look: string): Promise<Outcome<CheckpointFile | null>> {
    let files;
    try {
      files = await packFolder(this.#folder, limits);
    } catch (error) {
      if (isGone(error)) return accept(null);
      throw error;
    }
    if (!files.ok) return files;
    const after = await this.#look();
    if (!after.ok) return after;
    if (after.value !== look) return accept(null);
    this.#packed = look;
    return accept(await this.#write(files.value, note));
  }

  #write(files: Parameters<typeof encodeBundle>[0]["files"], note: SegmentNote): Promise<CheckpointFile> {
    return writeCheckpoint(encodeBundle({ files, note }), this.#workDir, `${this.#name}-${++this.#count}`);
  }

  /**
   * Names, lengths and times of its files; equal texts mean that nothing was written. Empty where there are none, null
   * where a file went while it was looked at.
   */
  async #look(): Promise<Outcome<string | null>> {
    try {
      const found = await listFolder(this.#folder, limits);
      if (!found.ok) return found;
      return accept(found.value.map(({ bytes, changed, path }) => `${path} ${bytes} ${changed}`).join("\n"));
    } catch (error) {
      if (!isGone(error)) throw error;
      return existsSync(this.#folder) ? accept(null) : deleted;
    }
  }
}

const deleted = refuse(
  "invalid",
  "its checkpoint folder was deleted, so nothing of it can be kept; leave the folder that TRIALMESH_CHECKPOINT_DIR names where it is",
);

function isGone(error: unknown): boolean {
  // A link in place of a file that was there is none of its files (SANDBOX-11).
  return ["ENOENT", "ELOOP", "ENOTDIR"].includes(systemCode(error) ?? "");
}
