/**
 * Whom a home believes as its mesh's server, in its folder `tls`: the certificate of the mesh's authority, or of whoever signs for a server
 * that somebody else runs. Public, and kept as private as the rest. Not how it came there (`join.ts`, `learn-authority.ts`).
 */
import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import type { ServerTrust } from "./server-trust.ts";
import { ensurePrivateFolder, readPrivateFile, writePrivateFile } from "../system/private-file.ts";

const folder = "tls";

export function tlsFile(path: string, file: string): string {
  return join(path, folder, file);
}

/** Of the mesh's authority: also where the server is somebody else's, for what agents say to each other. */
export function authorityFile(path: string): string {
  return tlsFile(path, "authority.pem");
}

/** Of whoever signs for a server of somebody's own. */
export function serverCaFile(path: string): string {
  return tlsFile(path, "server-ca.pem");
}

export function readHomeTls(path: string, mesh: string, kind: ServerTrust["kind"]): Outcome<ServerTrust> {
  if (kind === "named" && !existsSync(serverCaFile(path))) return accept({ kind, ca: null });
  const text = readCertificate(kind === "named" ? serverCaFile(path) : authorityFile(path));
  if (!text.ok) return text;
  return accept(kind === "named" ? { kind, ca: text.value } : { kind, authority: text.value, mesh });
}

export function writeHomeTls(path: string, tls: ServerTrust): Outcome<string> {
  const made = ensurePrivateFolder(join(path, folder));
  if (!made.ok) return made;
  if (tls.kind === "mesh") return writePrivateFile(authorityFile(path), tls.authority);
  return tls.ca === null ? accept(path) : writePrivateFile(serverCaFile(path), tls.ca);
}

/** The text of a file of certificates in PEM. */
export function readCertificate(file: string): Outcome<string> {
  const text = readPrivateFile(file);
  if (!text.ok) return text;
  try {
    return new X509Certificate(text.value).ca
      ? text
      : refuse("invalid", `${file} holds no authority's certificate`);
  } catch {
    return refuse(
      "invalid",
      `${file} holds no certificate in PEM; restore it from a backup, or join the mesh again`,
    );
  }
}
