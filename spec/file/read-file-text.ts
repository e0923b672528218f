/** The text of a file that a person named on a command line; what it says is for others to read. */
import { createReadStream } from "node:fs";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { systemCode } from "../../system/system-error.ts";

/** Nobody writes more into a file of this kind, and a mesh takes a part of it. */
const fileMaxMiB = 4;

/** `advice`: what to name instead, as in "give the path of a dataset file, such as reviews.yaml". */
export async function readFileText(file: string, advice: string): Promise<Outcome<string>> {
  try {
    const chunks: Buffer[] = [];
    // A device or a pipe has no size of its own: no more is read than may be.
    for await (const chunk of createReadStream(file, { end: fileMaxMiB * bytesPerMiB })) {
      if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    }
    const bytes = Buffer.concat(chunks);
    if (bytes.length > fileMaxMiB * bytesPerMiB)
      return refuse("invalid", `${file} has more than ${fileMaxMiB} MiB, which is the most; ${advice}`);
    return accept(bytes.toString("utf8"));
  } catch (error) {
    const code = systemCode(error);
    if (code === null) throw error;
    if (code === "ENOENT") return refuse("unknown", `there is no file ${file}; ${advice}`);
    const why = code === "EISDIR" ? "is a folder" : `cannot be read (${code})`;
    return refuse("invalid", `${file} ${why}; ${advice}`);
  }
}
