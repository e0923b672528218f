/**
 * A bundle: files of one folder as one artifact. The same files give the same bytes everywhere, so its digest names them:
 * paths in order, no times, no owners, and of the permissions only whether it may be executed. Not a general archive.
 */
import * as z from "zod";
import { anyValue, storedText, storedList } from "../../protocol/bound.ts";
import { bytesPerKiB, bytesPerMiB } from "../../protocol/byte-unit.ts";
import { isInsidePath } from "../../protocol/inside-path.ts";
import { newerFormat } from "../../protocol/newer-format.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";

/** First line of the header, by which a bundle is recognised. */
const format = "trialmesh-bundle";
const version = 1;
/** The length of the header stands before it, as a little-endian number of so many bytes. */
const lengthBytes = 4;
const headerMaxBytes = 16 * bytesPerMiB;
/**
 * The files of a large bundle with a note begin at a multiple of so many bytes, blanks after the header: so a note that is longer by some letters moves none of
 * them, and of a checkpoint whose files are as they were only the first chunk is another one.
 */
const filesAtBytes = 4 * bytesPerKiB;
const largeBytes = bytesPerMiB;

/** A relative path with slashes that stays in its folder on every system. */
const pathSchema = storedText
  .min(1)
  .refine(isInsidePath, "a path in a bundle is relative, with slashes, and stays in its folder");

const headerSchema = z.strictObject({
  format: z.literal(format),
  version: z.literal(version),
  files: storedList(
    z.strictObject({ path: pathSchema, bytes: z.int().nonnegative(), executable: z.boolean().optional() }),
  ),
  /** What its maker has to say to its reader beside the files. */
  note: anyValue,
});

export interface BundledFile {
  readonly path: string;
  readonly content: Uint8Array;
  readonly executable: boolean;
}

export interface Bundle {
  readonly files: readonly BundledFile[];
  /** Any JSON; null where there is nothing to say. */
  readonly note: unknown;
}

export function encodeBundle({ files, note }: Bundle): Uint8Array {
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const contentBytes = sorted.reduce((sum, { content }) => sum + content.length, 0);
  const header = padded(
    JSON.stringify({
      format,
      version,
      files: sorted.map(({ content, executable, path }) => ({
        path,
        bytes: content.length,
        ...(executable ? { executable } : {}),
      })),
      note,
    }),
    note !== null && contentBytes >= largeBytes ? filesAtBytes : 1,
  );
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32LE(header.length);
  return Buffer.concat([length, header, ...sorted.map(({ content }) => content)]);
}

/** With blanks, which JSON may end with, up to where the files begin. */
function padded(header: string, filesAt: number): Buffer {
  const bytes = lengthBytes + Buffer.byteLength(header);
  return Buffer.from(header + " ".repeat(Math.ceil(bytes / filesAt) * filesAt - bytes));
}

/** The files as views of the bytes; a refusal where this is no bundle, or one that was cut short. */
export function decodeBundle(bytes: Uint8Array): Outcome<Bundle> {
  const broken = (why: string) => refuse("invalid", `this is no bundle of files: ${why}`);
  if (bytes.length < lengthBytes) return broken("it is too short");
  const headerBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (headerBytes > headerMaxBytes || headerBytes > bytes.length - lengthBytes)
    return broken("its header has no end");
  const raw = jsonOf(bytes.subarray(lengthBytes, lengthBytes + headerBytes));
  const newer = newerFormat(raw, "version", version, "the bundle of files");
  if (newer !== null) return newer;
  const parsed = headerSchema.safeParse(raw);
  if (!parsed.success) return broken("its header does not parse");
  const header = parsed.data;
  let at = lengthBytes + headerBytes;
  const files: BundledFile[] = [];
  for (const { bytes: length, executable = false, path } of header.files) {
    if (length > bytes.length - at) return broken(`${path} is cut short`);
    files.push({ path, executable, content: bytes.subarray(at, at + length) });
    at += length;
  }
  if (at !== bytes.length) return broken("there is more in it than its header names");
  const twice = files.find(({ path }, index) => files[index + 1]?.path === path);
  if (twice !== undefined) return broken(`${twice.path} stands in it twice`);
  return accept({ files, note: header.note ?? null });
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
