/** What a command gives DuckDB on this machine: two threads, a gibibyte, and a folder for what that does not hold. */
import { tmpdir } from "node:os";

export const engineHere = { workDir: tmpdir(), threads: 2, memoryMiB: 1024 } as const;
