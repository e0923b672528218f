/**
 * TLS-9: a process's own certificate for what it says to others of the mesh directly: it makes the key, asks `trialmesh up` for the certificate, and asks
 * again long before its end. Beside it who was revoked, as all agents hear it. Without an answer it goes on with what it has, and asks again.
 */
import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { BusError, type Bus } from "../../protocol/bus/bus.ts";
import { isAuthorityOf } from "../../protocol/certificate/authority-proof.ts";
import {
  certificateAnswerSchema,
  type CertificateAnswer,
  type CertificateRequest,
} from "../../protocol/certificate/certificate-request.ts";
import { userLife, type CertificateLife } from "../../protocol/certificate/certificate-life.ts";
import { identityOf } from "../../protocol/certificate/certified-identity.ts";
import { isSignedBy, lifeOf } from "../../protocol/certificate/check-certificate.ts";
import { skewSentence } from "../../protocol/certificate/clock-sentence.ts";
import { RevokedList } from "../../protocol/certificate/revoked-list.ts";
import { answerSchema } from "../../protocol/command.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { accept, parseOutside, refuse, type Outcome } from "../../protocol/refusal.ts";
import { renewalSubject } from "../../protocol/renewal.ts";
import type { CheckCertificate } from "../../protocol/signature.ts";
import { subjectsOf, type Role } from "../../protocol/subjects.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { ensurePrivateFolder, readPrivateFile, writePrivateFile } from "../../system/private-file.ts";
import { ensureTlsKey, type TlsKey } from "../certificate/own-key.ts";
import type { Home } from "../home.ts";
import { tlsFile } from "../home-tls.ts";

const answerTimeoutMs = 5_000;
const againMs = 30_000;
const lookMaxMs = 600_000;
/** Looks between two certificates. */
const looksPerRenewal = 4;

export interface KeepCertificate {
  readonly home: Home;
  readonly role: Role;
  readonly name: string;
  /** Of its NATS user. */
  readonly userKey: string;
  readonly bus: Bus;
  /** Of the mesh's operator's signatures. */
  readonly check: CheckCertificate;
  readonly clock: Clock;
  readonly say: (line: string) => void;
  readonly life?: CertificateLife;
}

/** What it shows others, PEM each. */
export interface ShownCertificate {
  /** Secret. */
  readonly key: string;
  readonly certificate: string;
  /** Who signs everybody's. */
  readonly authority: string;
}

export interface KeptCertificate {
  /** Null until there was one. */
  readonly current: () => ShownCertificate | null;
  /** Told each new one. Returns its removal. */
  readonly onRenewed: (listener: (shown: ShownCertificate) => void) => () => void;
  readonly revoked: RevokedList;
  stop(): void;
}

export function keepCertificate(options: KeepCertificate): Outcome<KeptCertificate> {
  const { bus, check, home, name, role } = options;
  const folder = ensurePrivateFolder(join(home.path, "tls"));
  if (!folder.ok) return folder;
  const key = ensureTlsKey(tlsFile(home.path, `${role}.${name}.key`));
  if (!key.ok) return key;
  const revoked = new RevokedList(home.mesh, check);
  const heard = bus.subscribe(subjectsOf(home.mesh).epoch, ({ data }) => void revoked.take(data));
  const keeper = new Keeper(options, key.value);
  keeper.look();
  return accept({
    current: () => keeper.current,
    onRenewed: (listener) => {
      keeper.listeners.add(listener);
      return () => keeper.listeners.delete(listener);
    },
    revoked,
    stop: () => {
      heard.close();
      keeper.stop();
    },
  });
}

class Keeper {
  readonly #options: KeepCertificate;
  readonly #key: TlsKey;
  readonly #life: CertificateLife;
  current: ShownCertificate | null;
  readonly listeners = new Set<(shown: ShownCertificate) => void>();
  #stopped = false;
  #told: string | null = null;
  #endTimer: () => void = () => {};

  constructor(options: KeepCertificate, key: TlsKey) {
    this.#options = options;
    this.#key = key;
    this.#life = options.life ?? userLife;
    this.current = this.#stored();
  }

  stop(): void {
    this.#stopped = true;
    this.#endTimer();
  }

  /** Now, and later again. */
  look(): void {
    void this.#look().then((waitMs) => {
      if (this.#stopped) return;
      this.#endTimer = this.#options.clock.setTimer(waitMs, () => this.look());
    });
  }

  async #look(): Promise<number> {
    const lookMs = Math.min(lookMaxMs, this.#life.renewMs / looksPerRenewal);
    if (!this.#isDue()) return lookMs;
    const asked = await this.#ask();
    if (asked.ok) this.#told = null;
    else this.#say(asked.refusal.message);
    return asked.ok ? lookMs : Math.min(againMs, lookMs);
  }

  /** By the clock on the wall: a machine sleeps, and clocks are set. */
  #isDue(): boolean {
    if (this.current === null) return true;
    const madeMs = lifeOf(new X509Certificate(this.current.certificate)).beginsMs + this.#life.backdatedMs;
    const sinceMs = this.#options.clock.now() - madeMs;
    return sinceMs >= this.#life.renewMs || sinceMs < -this.#life.backdatedMs;
  }

  async #ask(): Promise<Outcome<null>> {
    const { bus, clock, home, name, role, userKey } = this.#options;
    const spki = this.#key.publicKey.export({ format: "der", type: "spki" });
    const certificate: CertificateRequest = { publicKey: spki.toString("base64"), userKey, at: clock.now() };
    try {
      const subject = renewalSubject(home.mesh, role, name);
      const bytes = await bus.request(subject, toBytes({ renew: { certificate } }), answerTimeoutMs);
      const answer = answerSchema.safeParse(fromBytes(bytes));
      if (!answer.success) return refuse("invalid", "the mesh answers with something else");
      if (!answer.data.ok) return answer.data;
      const parsed = parseOutside(certificateAnswerSchema, answer.data.value, "the mesh's answer");
      return parsed.ok ? this.#take(parsed.value) : parsed;
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      // Nothing to say: an `up` of the version before gives none, and one that is away comes back.
      return refuse("unavailable", "");
    }
  }

  #take({ at, authority, certificate }: CertificateAnswer): Outcome<null> {
    const { clock, home, name, role } = this.#options;
    const skew = skewSentence(clock.now(), at, { own: "this machine's", other: "the mesh's" });
    if (skew !== null) this.#say(skew);
    const shown = { key: this.#key.pem, certificate, authority };
    if (!this.#isOurs(shown))
      return refuse("invalid", "the mesh answered with a certificate of somebody else");
    this.current = shown;
    for (const listener of this.listeners) listener(shown);
    const written = writePrivateFile(this.#file(), certificate + authority);
    if (!written.ok) return written;
    this.#options.say(
      `certificates: ${role} ${name} of mesh ${home.mesh} has one until ${validTo(certificate)}`,
    );
    return accept(null);
  }

  #stored(): ShownCertificate | null {
    const file = this.#file();
    const text = existsSync(file) ? readPrivateFile(file) : null;
    if (text?.ok !== true) return null;
    const [certificate, authority] =
      text.value.match(/-----BEGIN [\s\S]+?-----END CERTIFICATE-----\n/g) ?? [];
    if (certificate === undefined || authority === undefined) return null;
    const shown = { key: this.#key.pem, certificate, authority };
    return this.#isOurs(shown) ? shown : null;
  }

  #isOurs({ authority, certificate }: ShownCertificate): boolean {
    const { check, home, name, role, userKey } = this.#options;
    try {
      const [own, above] = [new X509Certificate(certificate), new X509Certificate(authority)];
      const identity = identityOf(own);
      return (
        isAuthorityOf(above, home.mesh, check) &&
        isSignedBy(own, above) &&
        own.publicKey.equals(this.#key.publicKey) &&
        identity?.kind === "user" &&
        identity.mesh === home.mesh &&
        identity.role === role &&
        identity.name === name &&
        identity.userKey === userKey
      );
    } catch {
      // Cut short or edited: as if there were none.
      return false;
    }
  }

  #file(): string {
    const { home, name, role } = this.#options;
    return tlsFile(home.path, `${role}.${name}.pem`);
  }

  /** Once for each reason. */
  #say(reason: string): void {
    if (reason === "" || reason === this.#told) return;
    this.#told = reason;
    this.#options.say(`certificates: ${reason}`);
  }
}

function validTo(certificate: string): string {
  return new X509Certificate(certificate).validToDate.toISOString().slice(0, 10);
}
