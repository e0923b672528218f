/** A whole file in another encoding as a UTF-8 copy. Only for encodings that a file states or begins with. */
import { open } from "node:fs/promises";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";

const blockBytes = 4 * bytesPerMiB;

/** The encoding that the file's first bytes tell, or null. Throws what the file system throws. */
export async function encodingByMark(path: string): Promise<"utf-16le" | "utf-16be" | null> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(2);
    await file.read(head, 0, 2, 0);
    if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
    return head[0] === 0xfe && head[1] === 0xff ? "utf-16be" : null;
  } finally {
    await file.close();
  }
}

/** `iso-8859-1` maps each byte to the code point of its number. Throws what the file system throws. */
export async function transcode(
  path: string,
  encoding: "iso-8859-1" | "utf-16le" | "utf-16be",
  copyPath: string,
): Promise<void> {
  const decoder = encoding === "iso-8859-1" ? null : new TextDecoder(encoding);
  const source = await open(path, "r");
  const copy = await open(copyPath, "w");
  try {
    const buffer = Buffer.alloc(blockBytes);
    for (;;) {
      const { bytesRead } = await source.read(buffer, 0, buffer.length);
      const block = buffer.subarray(0, bytesRead);
      const text =
        decoder === null ? block.toString("latin1") : decoder.decode(block, { stream: bytesRead > 0 });
      await copy.writeFile(Buffer.from(text));
      if (bytesRead === 0) return;
    }
  } finally {
    await source.close();
    await copy.close();
  }
}
