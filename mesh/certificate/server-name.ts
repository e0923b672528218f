/**
 * The names and addresses by which a server on this machine may be reached: for clients that check them, in any language. Our own go by
 * who the certificate is for, since there is one server in a mesh, and an address may change or be another's on the way.
 */
import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import type { HolderName } from "./sign-certificate.ts";

/** RFC 1123: what may stand in a certificate as a host's name. */
const hostForm = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** `listen`: what the server listens on; `others`: more names, such as those of an address that was handed out. */
export function serverNames(listen: string, others: readonly string[] = []): readonly HolderName[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap((found) => found ?? [])
    // An address of one link says nothing without the link.
    .flatMap(({ address, scopeid }) => (scopeid === undefined || scopeid === 0 ? [address] : []));
  const host = hostname();
  const all = [
    "localhost",
    "127.0.0.1",
    "::1",
    listen,
    host,
    host.split(".")[0] ?? host,
    ...others,
    ...addresses,
  ];
  return [...new Set(all)].flatMap(holderName);
}

/** None of what a certificate cannot say, and of an address that stands for all of a machine's. */
export function holderName(text: string): readonly HolderName[] {
  if (text === "0.0.0.0" || text === "::") return [];
  if (isIP(text) !== 0) return [{ kind: "address", address: text }];
  return hostForm.test(text) ? [{ kind: "host", name: text }] : [];
}
