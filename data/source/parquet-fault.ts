/**
 * What is wrong with a Parquet file as a whole, told from its first and last bytes before any reader is asked: too short, cut
 * off, encrypted, with a footer that cannot be there. Not what is wrong with a column's values.
 */
import { open } from "node:fs/promises";

const magic = "PAR1";
const encryptedMagic = "PARE";
/** Length of the footer, and the magic. */
const tailBytes = 8;

/** A sentence, or null. Throws what the file system throws. */
export async function parquetFault(path: string): Promise<string | null> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    if (size === 0)
      return `${path} is empty; a Parquet file has a head, rows and a footer, so fetch or write it again`;
    const head = Buffer.alloc(magic.length);
    await file.read(head, 0, head.length, 0);
    const start = head.toString("latin1");
    const tail = Buffer.alloc(tailBytes);
    await file.read(tail, 0, tailBytes, Math.max(0, size - tailBytes));
    const end = tail.toString("latin1", magic.length);
    if (start === encryptedMagic || end === encryptedMagic)
      return `${path} is an encrypted Parquet file; write it again without encryption`;
    if (start !== magic)
      return end === magic
        ? `${path} is a Parquet file whose first bytes are damaged; fetch or write it again`
        : `${path} is no Parquet file: it does not begin with ${magic}; give its format, or write it as Parquet`;
    if (size < magic.length + tailBytes || end !== magic)
      return `${path} is a Parquet file that is cut off: it ends after ${size} bytes, without its footer; fetch or write it again`;
    const footer = tail.readUInt32LE(0);
    if (footer === 0 || footer > size - tailBytes - magic.length)
      return `${path} is a Parquet file with a damaged footer: it says it has ${footer} bytes, in a file of ${size}; fetch or write it again`;
    return null;
  } finally {
    await file.close();
  }
}
