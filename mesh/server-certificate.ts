/**
 * What the mesh's server shows whoever connects: a key of its own and a certificate from the mesh's authority, in the home's `tls`. Written at
 * every start and again every day (`part/keep-server-certificate.ts`). Not how the server is told.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { serverLife, type CertificateLife } from "../protocol/certificate/certificate-life.ts";
import { accept, type Outcome } from "../protocol/refusal.ts";
import { ensurePrivateFolder, readPrivateFile, writePrivateFile } from "../system/private-file.ts";
import type { Home } from "./home.ts";
import { authorityFile, tlsFile } from "./home-tls.ts";
import type { Identity } from "./identity.ts";
import type { ServerTrust } from "./server-trust.ts";
import { authorityOf, issueForServer, type Authority } from "./certificate/authority.ts";
import { ensureTlsKey } from "./certificate/own-key.ts";
import { serverNames } from "./certificate/server-name.ts";

export interface ServerTls {
  /** Paths, for the server's configuration. */
  readonly certificateFile: string;
  readonly keyFile: string;
  /** How its clients believe it. */
  readonly trust: ServerTrust & { readonly kind: "mesh" };
}

export interface ServerTlsTerms {
  /** What the server listens on. */
  readonly listen: string;
  /** Unix time in ms. */
  readonly nowMs: number;
  readonly life?: CertificateLife;
}

/** The authority of the home that made the mesh; its certificate is written where there is none yet. */
export function ensureAuthority(home: Home, identity: Identity): Outcome<Authority> {
  const file = authorityFile(home.path);
  const kept = existsSync(file) ? readPrivateFile(file) : accept(null);
  if (!kept.ok) return kept;
  const authority = authorityOf(identity.operator, home.mesh, kept.value);
  if (authority.certificate === kept.value) return accept(authority);
  const folder = ensurePrivateFolder(join(home.path, "tls"));
  if (!folder.ok) return folder;
  const written = writePrivateFile(file, authority.certificate);
  return written.ok ? accept(authority) : written;
}

export function writeServerCertificate(
  home: Home,
  identity: Identity,
  { life = serverLife, listen, nowMs }: ServerTlsTerms,
): Outcome<ServerTls> {
  const authority = ensureAuthority(home, identity);
  if (!authority.ok) return authority;
  const keyFile = tlsFile(home.path, "server.key");
  const key = ensureTlsKey(keyFile);
  if (!key.ok) return key;
  const terms = { publicKey: key.value.publicKey, nowMs, life };
  const own = issueForServer(authority.value, serverNames(listen), terms);
  // With the authority behind it: who joins looks for the one whose pin it knows.
  const certificateFile = tlsFile(home.path, "server.pem");
  const written = writePrivateFile(certificateFile, own + authority.value.certificate);
  if (!written.ok) return written;
  const trust = { kind: "mesh", authority: authority.value.certificate, mesh: home.mesh } as const;
  return accept({ certificateFile, keyFile, trust });
}
