/**
 * Whether the file that a command begins with is among those that travel. It is refused before anything is sent, as every trial would
 * fail for it. It looks at nothing that only the machines of the mesh can know, such as what is on their path.
 */
import { posix, win32 } from "node:path";
import type { BundledFile } from "../../agent/program/bundle.ts";

interface Words {
  readonly command: readonly string[];
  /** What `${program}` stands for. */
  readonly program: string | null;
}

const pythonWord = /^(?:python3?|\$\{interpreter\})$/;

/** Null where it is there, or cannot be known from the words alone; else what is wrong, and what would be right. */
export function programFileFault({ command, program }: Words, files: readonly BundledFile[]): string | null {
  const words = command
    .filter((word) => word !== "${env}")
    .map((word) => (word === "${program}" ? (program ?? word) : word));
  const [first, second] = words;
  if (first === undefined) return null;
  if (!pythonWord.test(first)) return first.includes("/") ? faultOf(first, files, true) : null;
  // A Python option before the script may take a word of its own, as -m does: then nothing is known.
  return second === undefined || second.startsWith("-") ? null : faultOf(second, files, false);
}

function faultOf(word: string, files: readonly BundledFile[], isRun: boolean): string | null {
  if (word.includes("${") || posix.isAbsolute(word) || win32.isAbsolute(word)) return null;
  const path = posix.normalize(word.replaceAll("\\", "/"));
  const file = files.find((each) => each.path === path);
  // Python also runs a folder that has a __main__.py.
  const isFolder = !isRun && files.some((each) => path === "." || each.path.startsWith(`${path}/`));
  if (isFolder) return null;
  if (file === undefined)
    return `"${word}" is not among the files that travel: the folder has no such file, or \`files\` leaves it out`;
  // Windows keeps no such bit, and a folder that comes from there says nothing about it.
  return isRun && !file.executable && process.platform !== "win32"
    ? `"${word}" may not be executed; \`chmod +x\` allows it`
    : null;
}
