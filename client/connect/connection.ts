/** What a program in any language needs to speak to the mesh as one of its people. Names the file of the secret, not the secret. */
import { credentialFile } from "../../mesh/credential.ts";
import type { Home } from "../../mesh/home.ts";
import { authorityFile, serverCaFile } from "../../mesh/home-tls.ts";
import { inboxPrefixOf, subjectsOf } from "../../protocol/subjects.ts";
import type { Connected } from "./connect-mesh.ts";

export interface Connection {
  readonly mesh: string;
  /** Address of the NATS server. */
  readonly url: string;
  /** How it is to be spoken to. */
  readonly tls: ConnectionTls | null;
  readonly role: string;
  readonly name: string;
  /** Path of a NATS `.creds` file. */
  readonly credentials: string;
  /** Replies to any other inbox are denied. */
  readonly inboxPrefix: string;
  /** With a query's name after it, the subject to ask on. */
  readonly queryPrefix: string;
  /** The same for commands; null for a viewer, who has none. */
  readonly commandPrefix: string | null;
}

/** Null where it is spoken to without TLS. */
export interface ConnectionTls {
  /** Path of the certificate, PEM, of who signs the server's; null: whom this machine trusts. */
  readonly ca: string | null;
  /** TLS begins before the server says anything. */
  readonly handshakeFirst: boolean;
}

function tlsOf({ path, tls }: Home): ConnectionTls | null {
  if (tls === null) return null;
  if (tls.kind === "mesh") return { ca: authorityFile(path), handshakeFirst: true };
  return { ca: tls.ca === null ? null : serverCaFile(path), handshakeFirst: false };
}

export function connectionOf({ client, home }: Connected): Connection {
  const { role, who } = client;
  const subjects = subjectsOf(home.mesh);
  return {
    mesh: home.mesh,
    url: home.url,
    tls: tlsOf(home),
    role,
    name: who,
    credentials: credentialFile(home, role, who),
    inboxPrefix: inboxPrefixOf(role, who),
    queryPrefix: subjects.query(role, who, ""),
    commandPrefix: role === "viewer" ? null : subjects.command(role, who, ""),
  };
}
