/**
 * The MD5s by which DVC knows a file: of its bytes, as DVC 3 takes it; and as DVC 1 and 2 took it of texts, with LF for
 * CRLF. Those read a mebibyte at a time, so a CRLF that lies across two of them stays.
 */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";

/** DVC looks at so much of a file to tell whether it is text. */
const judgedBytes = 512;
const binaryShareMost = 0.3;
const textControls: ReadonlySet<number> = new Set([7, 8, 9, 10, 12, 13, 27]);
const space = 0x20;

export interface DvcDigests {
  readonly whole: string;
  /** Null where DVC takes the file for binary. */
  readonly asText: string | null;
}

/** Throws what the file system throws. */
export async function dvcDigests(path: string): Promise<DvcDigests> {
  const whole = createHash("md5");
  const text = createHash("md5");
  const file = await open(path, "r");
  try {
    const buffer = Buffer.alloc(bytesPerMiB);
    let isText = true;
    for (let first = true; ; first = false) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      const block = buffer.subarray(0, bytesRead);
      if (first) isText = looksLikeText(block.subarray(0, judgedBytes));
      if (bytesRead === 0) break;
      whole.update(block);
      if (isText) text.update(block.toString("latin1").replaceAll("\r\n", "\n"), "latin1");
    }
    return { whole: whole.digest("hex"), asText: isText ? text.digest("hex") : null };
  } finally {
    await file.close();
  }
}

function looksLikeText(head: Buffer): boolean {
  if (head.includes(0)) return false;
  const strange = head.filter((byte) => byte < space && !textControls.has(byte)).length;
  return strange <= binaryShareMost * head.length;
}
