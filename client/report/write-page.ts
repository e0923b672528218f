/** Writes a page somewhere; where it cannot be written is a refusal. */
import { writeFileSync } from "node:fs";
import { systemCode } from "../../system/system-error.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";

export interface WrittenPage {
  readonly file: string;
  readonly bytes: number;
}

export function writePage(file: string, page: string, flag: string): Outcome<WrittenPage> {
  try {
    writeFileSync(file, page);
    return accept({ file, bytes: Buffer.byteLength(page) });
  } catch (error) {
    return refuse(
      "invalid",
      `${file}: it cannot be written (${systemCode(error) ?? "unknown"}); ${flag} names another place`,
    );
  }
}
