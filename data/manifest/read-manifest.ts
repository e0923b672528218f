/**
 * The manifest of a version, read from the end of its Parquet file without loading DuckDB. The footer is in Thrift's
 * compact protocol; key and value of a metadata entry stand in it one after the other, each as a header byte, a length
 * and UTF-8. The manifest holds no control character as such, so the last such key is the key.
 */
import { open } from "node:fs/promises";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { newerFormat } from "../../protocol/newer-format.ts";
import { accept, parseOutside, refuse, type Outcome } from "../../protocol/refusal.ts";
import { buildVersion, manifestKey, manifestSchema, type Manifest } from "./manifest.ts";

const magic = "PAR1";
/** Length of the footer, and the magic. */
const tailBytes = 8;
const footerBytesMax = 256 * bytesPerMiB;
const binaryField = 0x18;

export async function readManifest(path: string): Promise<Outcome<Manifest>> {
  const notOurs = `${path} is no dataset version; build it again from its declaration`;
  let json: string | null;
  try {
    json = await metadataOf(path);
  } catch (error) {
    const why = errorSentence(error);
    return refuse("unavailable", `the dataset version ${path} cannot be read: ${why}`);
  }
  if (json === null) return refuse("invalid", notOurs);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return refuse("invalid", notOurs);
  }
  const newer = newerFormat(value, "build", buildVersion, `the dataset version ${path}`);
  if (newer !== null) return newer;
  const parsed = parseOutside(manifestSchema, value, `the manifest of ${path}`);
  return parsed.ok ? accept(parsed.value) : parsed;
}

/** Throws what the file system throws; null where the file has no such metadata. */
async function metadataOf(path: string): Promise<string | null> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    if (size < tailBytes) return null;
    const tail = Buffer.alloc(tailBytes);
    await file.read(tail, 0, tailBytes, size - tailBytes);
    const length = tail.readUInt32LE(0);
    if (tail.toString("latin1", 4) !== magic || length > Math.min(footerBytesMax, size - tailBytes))
      return null;
    const footer = Buffer.alloc(length);
    await file.read(footer, 0, length, size - tailBytes - length);
    const key = Buffer.concat([
      Buffer.from([binaryField, manifestKey.length]),
      Buffer.from(manifestKey),
      Buffer.from([binaryField]),
    ]);
    const at = footer.lastIndexOf(key);
    if (at === -1) return null;
    let [bytes, shift, here] = [0, 0, at + key.length];
    for (;;) {
      const byte = footer[here++] ?? 0;
      bytes += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80 || shift > 28) break;
      shift += 7;
    }
    return here + bytes > length ? null : footer.toString("utf8", here, here + bytes);
  } finally {
    await file.close();
  }
}
