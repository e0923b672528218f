/** The file that runs the command line: the source under type stripping, else what it was compiled to. */
import { fileURLToPath } from "node:url";

export const mainFile: string = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "../main.ts" : "../main.js", import.meta.url),
);
