/** What `ssh` may be given as whom to reach: never anything that it would take for an option. */
import { InvalidArgumentError } from "commander";

const form = /^(?:[a-z0-9_][\w.\\+-]*@)?(?:[a-z0-9][\w.-]*|\[?[0-9a-f:]+(?:%\w+)?\]?)$/iu;
const charactersMax = 255;

export function sshDestination(text: string): string {
  if (text.length > charactersMax || !form.test(text))
    throw new InvalidArgumentError("is user@host, or a name of your ssh configuration");
  return text;
}
