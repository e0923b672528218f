/** What the operating system answered with, and how a failing disk is told. Not for errors of our own making. */
import { dirname } from "node:path";
import { refuse, type Outcome } from "../protocol/refusal.ts";

const systemCodePattern = /^E[A-Z0-9]+$/;

/** The code of a system error (`ENOENT`, `ENOSPC`…), or null when the error is of another kind. */
export function systemCode(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error)) return null;
  return typeof error.code === "string" && systemCodePattern.test(error.code) ? error.code : null;
}

/** What was to be made, and the system's code for why not. */
export class FolderError extends Error {
  readonly code: string;
  /** The first folder that could not be made, or the file in its place. */
  readonly path: string;

  constructor(code: string, path: string, more = "") {
    super(`${reasonOf(code, path)} (${code})${more}`);
    this.code = code;
    this.path = path;
  }
}

/** One sentence for a file operation that failed; an error that is not the disk's is thrown on. */
export function refuseDisk(error: unknown, verb: "read" | "write", asked: string): Outcome<never> {
  const path = error instanceof FolderError ? error.path : asked;
  if (error instanceof FolderError && misplaced.has(error.code))
    return refuse(
      "invalid",
      `${error.message}; choose another folder with TRIALMESH_HOME or TRIALMESH_CACHE`,
    );
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

/** Why no folder can be made there whoever asks. */
const misplaced: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "EEXIST", "ENAMETOOLONG", "ELOOP"]);

function reasonOf(code: string, path: string): string {
  switch (code) {
    case "ENOTDIR":
      return `${path} is a file; trialmesh needs a folder there`;
    case "EEXIST":
      return `${path} is a link that leads nowhere, or a file, where a folder should be`;
    case "ENOENT":
      return `the folder ${path} cannot be made: ${dirname(path)} takes none`;
    case "EACCES":
    case "EPERM":
      return `the folder ${path} cannot be made: permission denied`;
    case "EROFS":
      return `the folder ${path} cannot be made: the file system is read-only`;
    case "ENOSPC":
    case "EDQUOT":
      return `the folder ${path} cannot be made: the disk is full`;
    case "ENAMETOOLONG":
      return `the folder ${path} cannot be made: a name in it is too long`;
    default:
      return `the folder ${path} cannot be made`;
  }
}
