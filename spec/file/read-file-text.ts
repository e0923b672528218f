/** The text of a file that a person named on a command line; what it says is for others to read. */
import { readFile } from "node:fs/promises";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { systemCode } from "../../system/system-error.ts";

/** `advice`: what to name instead, as in "give the path of a dataset file, such as reviews.yaml". */
export async function readFileText(file: string, advice: string): Promise<Outcome<string>> {
  try {
    return accept(await readFile(file, "utf8"));
  } catch (error) {
    const code = systemCode(error);
    if (code === null) throw error;
    if (code === "ENOENT") return refuse("unknown", `there is no file ${file}; ${advice}`);
    const why = code === "EISDIR" ? "is a folder" : `cannot be read (${code})`;
    return refuse("invalid", `${file} ${why}; ${advice}`);
  }
}
