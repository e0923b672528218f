/** Whom the tracker names as holders of an artifact, as the transfer reaches them. Nothing is believed of it but where to ask. */
import type { Found, FoundRelay } from "../../protocol/tracking.ts";
import type { FarPeer, Peer } from "./peer-door.ts";

const portMax = 65_535;

/** Those that can be connected to at all, or through others; `self` is left out. */
export function trackedPeers({ hidden = [], peers }: Found, self: string): readonly FarPeer[] {
  const open = peers.flatMap(({ agent, door, via = [] }) => {
    const peer = placed({ agent, door }, self);
    return peer === null ? [] : [{ ...peer, via: relayPeers(via, null) }];
  });
  const behind = hidden
    .filter(({ agent }) => agent !== self)
    .map(({ agent, via }) => ({ name: agent, via: relayPeers(via, null) }));
  return [...open, ...behind.filter(({ via }) => via.length > 0)];
}

/** Those that pass on; `self` is left out. */
export function relayPeers(relays: readonly FoundRelay[], self: string | null): readonly Peer[] {
  return relays.flatMap((relay) => placed(relay, self) ?? []);
}

function placed({ agent, door }: FoundRelay, self: string | null): Peer | null {
  const [first, ...others] = door.addresses.flatMap((address) => placeOf(address) ?? []);
  return first === undefined || agent === self ? null : { name: agent, ...first, others };
}

/** `host:port`, `[::1]:port`; null where it is none. */
function placeOf(address: string): { readonly host: string; readonly port: number } | null {
  const [, bracketed, plain, digits = ""] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s[\]]+)):(\d{1,5})$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  return host === undefined || port < 1 || port > portMax ? null : { host, port };
}
