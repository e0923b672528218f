/** What the operating system answered with, and how a failing disk is told. Not for errors of our own making. */
import { refuse, type Outcome } from "../protocol/refusal.ts";

const systemCodePattern = /^E[A-Z0-9]+$/;

/** The code of a system error (`ENOENT`, `ENOSPC`…), or null when the error is of another kind. */
export function systemCode(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error)) return null;
  return typeof error.code === "string" && systemCodePattern.test(error.code) ? error.code : null;
}

/** One sentence for a file operation that failed; an error that is not the disk's is thrown on. */
export function refuseDisk(error: unknown, verb: "read" | "write", path: string): Outcome<never> {
  const code = systemCode(error);
  switch (code) {
    case null:
      throw error;
    case "ENOSPC":
    case "EDQUOT":
      return refuse(
        "unavailable",
        `cannot write ${path}: the disk is full; free some space and run this again`,
      );
    case "EACCES":
    case "EPERM":
      return refuse(
        "forbidden",
        `cannot ${verb} ${path}: permission denied; it must belong to the user who runs trialmesh`,
      );
    case "EROFS":
      return refuse(
        "unavailable",
        `cannot write ${path}: the file system is read-only; choose another folder with TRIALMESH_HOME`,
      );
    case "ENOENT":
      return refuse("unknown", `cannot ${verb} ${path}: there is no such file`);
    case "ENOTDIR":
    case "EEXIST":
    case "EISDIR":
      return refuse(
        "invalid",
        `cannot ${verb} ${path}: a file stands where a folder should be, or the reverse`,
      );
    default:
      return refuse("unavailable", `cannot ${verb} ${path}: ${code}`);
  }
}
