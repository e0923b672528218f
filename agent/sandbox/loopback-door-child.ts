/**
 * Runs within the network of a program, before it: listens on its loopback, hands the socket to the agent, and becomes the program. It
 * reads nothing that the program brings but its words and environment.
 */
import { accessSync, closeSync, constants, openSync, readSync, statSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";

const [port, program = "", ...words] = process.argv.slice(2);
const standardError = 2;

/** In bubblewrap's own words, so that whoever reads them need know only one form. */
function fail(why: string): never {
  writeSync(standardError, `bwrap: execvp ${program}: ${why}\n`);
  process.exit(1);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** What no system can start by itself, as it is where `execvp` looks for it: a script without a first line is a shell's. */
function isShells(file: string): boolean {
  const bytes = Buffer.alloc(2);
  const descriptor = openSync(file, "r");
  readSync(descriptor, bytes);
  closeSync(descriptor);
  return !["#!", "\x7fE"].includes(bytes.toString("latin1"));
}

function fileOf(name: string): string | null {
  if (name.includes("/")) return name;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

function become(): void {
  const file = fileOf(program);
  if (file === null) fail("No such file or directory");
  if (!isProgram(file)) fail("Permission denied");
  const { NODE_CHANNEL_FD: _, NODE_CHANNEL_SERIALIZATION_MODE: __, ...environment } = process.env;
  if (isShells(file)) process.execve?.("/bin/sh", ["/bin/sh", file, ...words], environment);
  process.execve?.(file, [program, ...words], environment);
}

const server = createServer();
server.once("error", (error) => fail(error.message));
server.listen(Number(port), "127.0.0.1", () => {
  process.send?.("door", server, undefined, become);
});
