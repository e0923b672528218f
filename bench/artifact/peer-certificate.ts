/**
 * Certificates for measurements and tests of the transfer, made by the `openssl` program: an authority, and one for each name.
 * Not what a mesh does: it makes its own.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { X509Certificate } from "node:crypto";
import type { PeerIdentity } from "../../artifact/peer/peer-identity.ts";

const curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
const uri = /URI:trialmesh-agent:([a-z0-9-]+)/;

export interface Validity {
  /** `-1` ended yesterday. */
  readonly days?: number;
}

export class PeerAuthority {
  readonly #folder = mkdtempSync(join(tmpdir(), "trialmesh-certificate-"));
  readonly certificate: string;

  constructor(name = "trialmesh test authority") {
    this.#openssl("genpkey", ...curve, "-out", "ca.key");
    const subject = ["-subj", `/CN=${name}`, "-days", "30"];
    this.#openssl("req", "-x509", "-key", "ca.key", ...subject, "-out", "ca.pem");
    this.certificate = this.#read("ca.pem");
  }

  /** `revoked` is asked at each connection. */
  identity(
    name: string,
    revoked: ReadonlySet<string> = new Set(),
    { days = 7 }: Validity = {},
  ): PeerIdentity {
    this.#openssl("genpkey", ...curve, "-out", `${name}.key`);
    this.#openssl("req", "-new", "-key", `${name}.key`, "-subj", `/CN=${name}`, "-out", `${name}.csr`);
    writeFileSync(join(this.#folder, `${name}.ext`), `subjectAltName=URI:trialmesh-agent:${name}\n`);
    const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", `${name}.ext`];
    const files = ["-in", `${name}.csr`, "-out", `${name}.pem`, "-days", String(days)];
    this.#openssl("x509", "-req", ...signed, ...files);
    return {
      key: this.#read(`${name}.key`),
      certificate: this.#read(`${name}.pem`),
      authority: this.certificate,
      trusts: (certificate) => nameIn(certificate, revoked),
    };
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #openssl(...words: readonly string[]): void {
    execFileSync("openssl", words, { cwd: this.#folder, stdio: ["ignore", "ignore", "pipe"] });
  }

  #read(name: string): string {
    return readFileSync(join(this.#folder, name), "utf8");
  }
}

export function nameIn(certificate: X509Certificate, revoked: ReadonlySet<string>): string | null {
  const name = uri.exec(certificate.subjectAltName ?? "")?.[1] ?? null;
  return name === null || revoked.has(name) ? null : name;
}
