/**
 * What a serving program shows over TLS: files of somebody's own, or a certificate of the mesh's authority, which only the machine that
 * made the mesh can sign. The key of such a one is made anew for each process and never written.
 */
import { loadIdentity } from "../../mesh/identity.ts";
import { issueForNames } from "../../mesh/certificate/authority.ts";
import { newTlsKey } from "../../mesh/certificate/own-key.ts";
import { serverNames } from "../../mesh/certificate/server-name.ts";
import type { Home } from "../../mesh/home.ts";
import { ensureAuthority } from "../../mesh/server-certificate.ts";
import { serverLife } from "../../protocol/certificate/certificate-life.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { ServingTls } from "../../serving/server/http-door.ts";
import { readPrivateFile } from "../../system/private-file.ts";

/** Files of somebody's own, PEM. */
export function ownCertificate(certificateFile: string, keyFile: string): Outcome<ServingTls> {
  const cert = readPrivateFile(certificateFile);
  if (!cert.ok) return cert;
  const key = readPrivateFile(keyFile);
  return key.ok ? accept({ cert: cert.value, key: key.value }) : key;
}

/** `host`: what is listened on. */
export function meshCertificate(home: Home, host: string, nowMs: number): Outcome<ServingTls> {
  const identity = loadIdentity(home);
  if (!identity.ok)
    return refuse(
      "forbidden",
      `at ${host} TLS is needed, and only the machine that made the mesh can sign for itself: bring a certificate with --tls-cert and --tls-key, or listen on 127.0.0.1`,
    );
  const authority = ensureAuthority(home, identity.value);
  if (!authority.ok) return authority;
  const { pem, publicKey } = newTlsKey();
  const own = issueForNames(authority.value, serverNames(host), { publicKey, nowMs, life: serverLife });
  return accept({ cert: own + authority.value.certificate, key: pem });
}
