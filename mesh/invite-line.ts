/** What one passes on: a code and where the mesh is, `CODE@host:port`. Not what the code is (`invitation-code.ts`). */
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { codePrefix, plainCodePrefix, readCode, type InvitationCode } from "./invitation-code.ts";

const defaultPort = 4222;
/** Scheme and port may be left out. */
const addressForm = /^((?:nats|tls):\/\/)?(\[[0-9a-f:.]+\]|[^\s/:@[\]]+)(:\d{1,5})?$/i;
const plainScheme = "nats://";

export interface Invited extends InvitationCode {
  readonly url: string;
}

const versions = [codePrefix, plainCodePrefix].map((prefix) => prefix.slice(2, -1));

/** Reads `CODE@host:port`; says what is wrong with it before anything is asked of anybody. */
export function readInviteLine(line: string): Outcome<Invited> {
  const text = line.trim();
  const again = "paste what `trialmesh invite` printed, such as tm4.…@192.168.1.5:4222";
  const version = /^tm(\d+)\./i.exec(text)?.[1];
  if (version === undefined)
    return refuse("invalid", `this is not an invitation (it would start with ${codePrefix}); ${again}`);
  if (!versions.includes(version))
    return refuse(
      "invalid",
      `this invitation is of version ${version} and this trialmesh reads versions 3 and 4; ask the mesh's owner for a new \`trialmesh invite\`, of a trialmesh like this one`,
    );
  const at = text.indexOf("@");
  const code = readCode(at < 0 ? text : text.slice(0, at));
  if (!code.ok) return refuse(code.refusal.code, `${code.refusal.message}; ${again}`);
  if (at < 0) return refuse("invalid", `the invitation lacks the mesh's address behind an @; ${again}`);
  const address = addressForm.exec(text.slice(at + 1));
  if (address === null)
    return refuse(
      "invalid",
      `the address in the invitation is not one: a server's address looks like nats://host:${defaultPort}; ${again}`,
    );
  const [, scheme = plainScheme, host = "", port = `:${defaultPort}`] = address;
  return accept({ ...code.value, url: `${scheme}${host}${port}` });
}

/** The line that `readInviteLine` reads; refuses an address that it would not read as the same. */
export function inviteLine(code: string, url: string): Outcome<string> {
  const line = `${code}@${url.startsWith(plainScheme) ? url.slice(plainScheme.length) : url}`;
  const read = readInviteLine(line);
  return read.ok && (read.value.url === url || read.value.url === `${url}:${defaultPort}`)
    ? accept(line)
    : refuse(
        "invalid",
        `the address to hand out is ${url}; a server's address looks like nats://host:${defaultPort}`,
      );
}
