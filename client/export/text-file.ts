/** A new file that grows piece by piece, at the pace of the disk. A failing disk is the writer's to hear of, and nobody else's. */
import { open, type FileHandle } from "node:fs/promises";
import { bytesPerKiB } from "../../protocol/byte-unit.ts";

const heldCharactersMax = 256 * bytesPerKiB;

export class TextFile {
  readonly #file: FileHandle;
  #held: string[] = [];
  #heldCharacters = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Takes the place of what stands there. Throws the system's error, as everything here does. */
  static async create(path: string): Promise<TextFile> {
    return new TextFile(await open(path, "w"));
  }

  /** Writes all pieces, and closes it. */
  static async write(path: string, pieces: AsyncIterable<string>): Promise<void> {
    const file = await TextFile.create(path);
    try {
      for await (const piece of pieces) await file.add(piece);
    } finally {
      await file.close();
    }
  }

  async add(piece: string): Promise<void> {
    this.#held.push(piece);
    this.#heldCharacters += piece.length;
    if (this.#heldCharacters > heldCharactersMax) await this.#flush();
  }

  async close(): Promise<void> {
    try {
      await this.#flush();
    } finally {
      await this.#file.close();
    }
  }

  async #flush(): Promise<void> {
    const text = this.#held.join("");
    this.#held = [];
    this.#heldCharacters = 0;
    if (text !== "") await this.#file.writeFile(text);
  }
}
