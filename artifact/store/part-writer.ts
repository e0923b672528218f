/**
 * Writes the chunks of a part to its file: past the system's cache where file system and buffer allow it, so that a large artifact
 * neither costs a second copy nor pushes out what the machine's owner has in memory; through it otherwise. Not here: what is right.
 */
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import type { Bytes } from "../../protocol/bus/bus.ts";
import { bytesPerKiB } from "../../protocol/byte-unit.ts";
import { systemCode } from "../../system/system-error.ts";

/** No disk asks for more. */
const alignedBytes = 4 * bytesPerKiB;

export class PartWriter {
  readonly #path: string;
  readonly #file: FileHandle;
  /** Null: not here. */
  #direct: Promise<FileHandle | null> | null = null;

  /** `file`: of the same path, and closed by whoever opened it. */
  constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** Throws the system's error. */
  async write(data: Bytes, position: number): Promise<void> {
    const direct = isAligned(data, position) ? await (this.#direct ??= openDirect(this.#path)) : null;
    const written = direct === null ? 0 : await this.#writeDirect(direct, data, position);
    await writeAll(this.#file, data.subarray(written), position + written);
  }

  async close(): Promise<void> {
    await (await this.#direct)?.close();
  }

  /** How much of it; the rest goes the ordinary way. */
  async #writeDirect(direct: FileHandle, data: Bytes, position: number): Promise<number> {
    try {
      return (await direct.write(data, 0, data.length, position)).bytesWritten;
    } catch (error) {
      // Some file systems open a file so and then cannot.
      if (systemCode(error) !== "EINVAL") throw error;
      this.#direct = Promise.resolve(null);
      await direct.close();
      return 0;
    }
  }
}

/** Memory that threads share is taken from the system in whole pages, of whatever else nothing is known. */
function isAligned(data: Bytes, position: number): boolean {
  const isShared = data.buffer instanceof SharedArrayBuffer;
  return isShared && [data.byteOffset, data.length, position].every((one) => one % alignedBytes === 0);
}

function openDirect(path: string): Promise<FileHandle | null> {
  // Not every system knows it.
  const flag: number | undefined = constants.O_DIRECT;
  if (flag === undefined) return Promise.resolve(null);
  return open(path, constants.O_WRONLY | flag).catch(() => null);
}

/** All of it, however little the system takes at once. Throws the system's error. */
export async function writeAll(file: FileHandle, data: Bytes, position: number): Promise<void> {
  for (let written = 0; written < data.length;) {
    const { bytesWritten } = await file.write(data, written, data.length - written, position + written);
    written += bytesWritten;
  }
}
