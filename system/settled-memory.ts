/** How much of this process's memory is in use, without what only waits to be freed. It stops the program for as long as that takes. */
import { memoryUsage } from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as z from "zod";

type Collect = () => void;
const collectSchema = z.custom<Collect>((value) => typeof value === "function");
let collect: Collect | null = null;

/** Bytes of objects and of what they hold outside the heap, arrays among it. */
export function settledBytes(): number {
  collect ??= exposed();
  collect();
  const { external, heapUsed } = memoryUsage();
  return heapUsed + external;
}

/** The collector is no part of the language; a context that is made once the flag is set has it. */
function exposed(): Collect {
  setFlagsFromString("--expose-gc");
  return collectSchema.parse(runInNewContext("gc"));
}
