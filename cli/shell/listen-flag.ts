/** Where a server of this machine listens: an address and a port. */
import { longText } from "../../protocol/bound.ts";
import { portMax } from "../../mesh/port.ts";
import { flag } from "./option.ts";

/** `example`: of what is right, for the sentence that says so. */
export function listenFlag(example: string) {
  return flag(
    longText
      .regex(/^[\w.-]{1,253}:\d{1,5}$/)
      .transform((text) => ({
        host: text.slice(0, text.indexOf(":")),
        port: Number(text.slice(text.indexOf(":") + 1)),
      }))
      .refine(({ port }) => port <= portMax),
    `an address of this machine and a port up to ${portMax}, such as ${example}`,
  );
}
