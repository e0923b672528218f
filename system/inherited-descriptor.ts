/**
 * Keeps this process's open files from its children. What Node opens is closed when another program is started; what a
 * library opens need not be (LMDB's data file is not), and would be the child's to read and write. Linux alone says which;
 * macOS and Windows pass on nothing but what is asked for.
 */
import { openSync, readdirSync, readFileSync } from "node:fs";

/** O_CLOEXEC of Linux, on every processor Node runs on. */
const closedOnStart = 0o2000000;

let nullDevice: number | null = null;

/** `stdio` for a child, with nothing at the place of every descriptor that it would inherit beyond those. */
export function withoutInherited<T>(stdio: readonly T[]): (T | "ignore" | number)[] {
  const all: (T | "ignore" | number)[] = [...stdio];
  for (const descriptor of inheritedFrom(stdio.length)) {
    // "ignore" beyond the first three leaves the place as it is.
    while (all.length < descriptor) all.push("ignore");
    nullDevice ??= openSync("/dev/null", "r+");
    all[descriptor] = nullDevice;
  }
  return all;
}

/** The descriptors from this number on that a child would inherit, in order. */
function inheritedFrom(first: number): readonly number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fd")
    .map(Number)
    .filter((descriptor) => descriptor >= first && isInherited(descriptor))
    .toSorted((a, b) => a - b);
}

function isInherited(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & closedOnStart) === 0;
  } catch {
    return false; // closed meanwhile, as the listing's own is
  }
}
