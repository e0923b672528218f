/** Whom the tracker names as holders of an artifact, as the transfer reaches them. Nothing is believed of it but where to ask. */
import type { FoundPeer } from "../../protocol/tracking.ts";
import type { Peer } from "./peer-door.ts";

const portMax = 65_535;

/** Those that can be connected to at all; `self` is left out. */
export function trackedPeers(found: readonly FoundPeer[], self: string): readonly Peer[] {
  return found.flatMap(({ agent, door }) => {
    const [first, ...others] = door.addresses.flatMap((address) => placeOf(address) ?? []);
    return first === undefined || agent === self ? [] : [{ name: agent, ...first, others }];
  });
}

/** `host:port`, `[::1]:port`; null where it is none. */
function placeOf(address: string): { readonly host: string; readonly port: number } | null {
  const [, bracketed, plain, digits = ""] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s[\]]+)):(\d{1,5})$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  return host === undefined || port < 1 || port > portMax ? null : { host, port };
}
