/** ADD-5: what `ssh` says where it does not get through, as one sentence that tells what to do. Not what the other machine says once it did. */
import { refuse, type Outcome } from "../../protocol/refusal.ts";
import { windowsSentence } from "./platform/win32.ts";

/** ssh's own exit status, for whatever went wrong before the other machine's command ran. */
const sshFailed = 255;
const saidCharactersMax = 200;

interface Said {
  readonly destination: string;
  readonly code: number | null;
  readonly stderr: string;
}

const causes: readonly {
  readonly pattern: RegExp;
  readonly code: "forbidden" | "unavailable" | "unknown";
  readonly sentence: (destination: string) => string;
}[] = [
  {
    pattern: /HOST IDENTIFICATION HAS CHANGED|host key for .* has changed/iu,
    code: "forbidden",
    sentence: (to) =>
      `${to} shows another host key than the one ssh knows: if the machine was set up anew, \`ssh-keygen -R ${hostOf(to)}\` forgets the old key and this works again; if it was not, somebody stands in between`,
  },
  {
    pattern: /Host key verification failed|No .*host key is known/iu,
    code: "forbidden",
    sentence: (to) =>
      `ssh does not know the host key of ${to} yet; connect once with \`ssh ${to}\` and compare the key, then run this again`,
  },
  {
    pattern: /Permission denied|Too many authentication failures|No supported authentication methods/iu,
    code: "forbidden",
    sentence: (to) =>
      `ssh is not let in as ${to}; \`ssh-copy-id ${to}\` puts your key there, or name another with --identity FILE`,
  },
  {
    pattern: /Could not resolve hostname/iu,
    code: "unknown",
    sentence: (to) => `no machine is known by the name in ${to}; give one that \`ssh ${to}\` reaches`,
  },
  {
    pattern: /Connection refused/iu,
    code: "unavailable",
    sentence: (to) =>
      `${to} is there, but no ssh server answers at that port; start one there, or name its port with --port`,
  },
  {
    pattern: /timed out|No route to host|Network is unreachable|Connection reset|Connection closed/iu,
    code: "unavailable",
    sentence: (to) => `${to} does not answer over ssh; is the machine on, and on this network?`,
  },
  {
    pattern: /is not recognized as (?:an internal|the name)|CommandNotFoundException/iu,
    code: "unavailable",
    sentence: windowsSentence,
  },
];

/** Null where ssh got through and the other machine's command is what failed. */
export function sshRefusal({ code, destination, stderr }: Said): Outcome<never> | null {
  const known = causes.find(({ pattern }) => pattern.test(stderr));
  const isWindows = known?.sentence === windowsSentence;
  if (known !== undefined && (code === sshFailed || isWindows))
    return refuse(known.code, known.sentence(destination));
  if (code !== sshFailed && code !== null) return null;
  const last = lastLine(stderr);
  return refuse(
    "unavailable",
    `ssh to ${destination} ended${last === "" ? "" : ` (${last})`}; try \`ssh ${destination}\` by hand`,
  );
}

export function lastLine(text: string): string {
  return (text.trim().split("\n").at(-1) ?? "").trim().slice(0, saidCharactersMax);
}

/** `user@host` or `host`, as `ssh` takes it. */
export function hostOf(destination: string): string {
  return destination.slice(destination.lastIndexOf("@") + 1);
}
