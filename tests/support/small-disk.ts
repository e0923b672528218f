/** A disk of its own for a folder, small enough to be filled: a file system in memory. Needs the right to mount one. */
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

const blockBytes = 64 * 1024;

export class SmallDisk {
  readonly path: string;

  /** `size` as mount takes it, such as `64m`. Throws where it may not be mounted. */
  constructor(path: string, size: string) {
    this.path = path;
    mkdirSync(path, { recursive: true, mode: 0o700 });
    run("mount", "-t", "tmpfs", "-o", `size=${size},mode=700`, "tmpfs", path);
  }

  /** Takes all the room that is left. */
  fill(): void {
    const file = openSync(join(this.path, "filler"), "w");
    try {
      for (let bytes = blockBytes; bytes >= 1; bytes = Math.floor(bytes / 16)) this.#fillBy(file, bytes);
    } finally {
      closeSync(file);
    }
  }

  #fillBy(file: number, bytes: number): void {
    try {
      for (;;) if (writeSync(file, Buffer.alloc(bytes, 1)) < bytes) return;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
    }
  }

  free(): void {
    rmSync(join(this.path, "filler"), { force: true });
  }

  /** Nothing can be written there until it is made writable again. */
  readOnly(is: boolean): void {
    run("mount", "-o", `remount,${is ? "ro" : "rw"}`, this.path);
  }

  remove(): void {
    run("umount", "--lazy", this.path);
  }
}

/** Why no disk can be mounted here, for a test's `skip`; false where it can. */
export function skipWithoutMount(folder: string): string | false {
  try {
    new SmallDisk(folder, "1m").remove();
    return false;
  } catch (error) {
    return `no file system can be mounted here: ${String(error)}`;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function run(program: string, ...parameters: readonly string[]): void {
  const { error, status, stderr } = spawnSync(program, parameters, { encoding: "utf8" });
  if (error !== undefined || status !== 0)
    throw error ?? new Error(`${program} ${parameters.join(" ")}: ${stderr.trim()}`);
}
