/** Why a connection to another machine ended. A value: it is expected, told to the other side, and read by people. */

export const peerFaultCodes = [
  "closed", // it went away, or its network did
  "unreachable", // no connection came about
  "stranger", // its certificate is not of this mesh, or of somebody else than was meant
  "revoked", // it was let in, and is no more
  "malformed", // what it sent is no frame, or none that may come now
  "other-version", // it speaks another version of this
  "stalled", // it owed bytes and sent none
  "slow", // it owed bytes and sent far fewer than others did
  "wrong-bytes", // a chunk, or a node, is not what its digest names
  "not-asked", // it sent what nobody asked for
  "idle", // nothing was wanted for long
  "crowded", // there are too many connections
  "done", // we need it no more
] as const;

export interface PeerFault {
  readonly code: (typeof peerFaultCodes)[number];
  /** One sentence, with what was seen. */
  readonly message: string;
}

export function peerFault(code: PeerFault["code"], message: string): PeerFault {
  return { code, message };
}
