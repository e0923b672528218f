/**
 * Where `trialmesh up` signs certificates for those who ask, and tells all agents every second who was revoked: in the records, however it came
 * there. Both go over subjects that a user's credential lets it use already.
 */
import { encodeUser, fmtCreds } from "@nats-io/jwt";
import { createUser } from "@nats-io/nkeys";
import { existsSync, statSync } from "node:fs";
import { BusError, type Bus, type Incoming } from "../../protocol/bus/bus.ts";
import {
  asksForCertificate,
  certificateRequestSchema,
} from "../../protocol/certificate/certificate-request.ts";
import type { CertificateLife } from "../../protocol/certificate/certificate-life.ts";
import { skewSentence } from "../../protocol/certificate/clock-sentence.ts";
import { RevokedList, revokedMessage } from "../../protocol/certificate/revoked-list.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { RateLimit } from "../../protocol/rate-limit.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { renewalAsker, renewalPatterns } from "../../protocol/renewal.ts";
import { subjectsOf } from "../../protocol/subjects.ts";
import { readPrivateFile, writePrivateFile } from "../../system/private-file.ts";
import { certifyUser, revokedKeys } from "../certify-user.ts";
import type { Authority } from "../certificate/authority.ts";
import { connectServer } from "../connect-server.ts";
import { ensureAuthority } from "../server-certificate.ts";
import { inHome, type Home } from "../home.ts";
import { tlsFile } from "../home-tls.ts";
import { loadIdentity, type Identity } from "../identity.ts";

/** What agents hear is no older than twice this. */
const tellEveryMs = 1_000;
const requestRate = { perSecond: 0.5, atOnce: 5 };
const inbox = "_INBOX.certificates";

export interface Certificates {
  stop(): Promise<void>;
}

export interface ServeCertificates {
  readonly home: Home;
  /** Unix time in ms. */
  readonly now: () => number;
  readonly log: (line: string) => void;
  readonly life?: CertificateLife;
}

export async function serveCertificates(options: ServeCertificates): Promise<Outcome<Certificates>> {
  const { home } = options;
  const identity = loadIdentity(home);
  if (!identity.ok) return identity;
  const authority = ensureAuthority(home, identity.value);
  if (!authority.ok) return authority;
  let bus: Bus;
  try {
    const creds = await ownCredential(identity.value, home.mesh);
    bus = await connectServer(home, {
      creds,
      name: "certificates",
      inboxPrefix: inbox,
    });
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return refuse("unavailable", `nobody gets a certificate: ${error.message}`);
  }
  answerOn(bus, authority.value, options);
  const endTelling = tellRevoked(bus, identity.value, options);
  return accept({
    stop: () => {
      endTelling();
      return bus.close();
    },
  });
}

function answerOn(bus: Bus, authority: Authority, { home, life, log, now }: ServeCertificates): void {
  const rate = new RateLimit(requestRate);
  const hear = (message: Incoming) => {
    const asker = renewalAsker(message.subject);
    const body = fromBytes(message.data);
    if (asker === null || !asksForCertificate(body)) return;
    const who = `${asker.role} ${asker.name}`;
    if (!rate.allows(who, performance.now())) return;
    const asked = certificateRequestSchema.safeParse(body);
    if (!asked.success)
      return message.respond(toBytes(refuse("invalid", "this request for a certificate does not parse")));
    const { certificate } = asked.data.renew;
    const skew = skewSentence(certificate.at, now(), { own: `${who}'s`, other: "this machine's" });
    if (skew !== null) log(`clocks: ${skew}`);
    message.respond(toBytes(certifyUser(home, authority, asker, certificate, now(), life)));
  };
  for (const pattern of renewalPatterns(home.mesh)) bus.subscribe(pattern, hear);
}

/** Looks at the records once a second, signs anew where they have changed, and tells all. Returns what ends it. */
function tellRevoked(bus: Bus, identity: Identity, { home, life, log, now }: ServeCertificates): () => void {
  const { epoch } = subjectsOf(home.mesh);
  const file = tlsFile(home.path, "revoked.json");
  const check = (bytes: Uint8Array, signature: Uint8Array) => identity.operator.verify(bytes, signature);
  const known = new RevokedList(home.mesh, check);
  const last = existsSync(file) ? readPrivateFile(file) : null;
  if (last?.ok === true) known.take(Buffer.from(last.value));
  let message: Uint8Array | null = null;
  let seenMs = Number.NaN;
  const look = () => {
    const changedMs = statSync(inHome(home.path, "users", ""), { throwIfNoEntry: false })?.mtimeMs;
    if (changedMs === undefined || (changedMs === seenMs && message !== null)) return;
    const users = revokedKeys(home, now(), life);
    if (!users.ok) return log(`certificates: ${users.refusal.message}`);
    seenMs = changedMs;
    const number = Math.max(known.number + 1, now());
    message = revokedMessage({ mesh: home.mesh, number, users: [...users.value] }, (bytes) =>
      identity.operator.sign(bytes),
    );
    known.take(message);
    // Without it a clock that is set back would make lists that nobody believes.
    const written = writePrivateFile(file, Buffer.from(message).toString("utf8"));
    if (!written.ok) log(`certificates: ${written.refusal.message}`);
  };
  const tell = () => {
    look();
    if (message !== null) bus.publish(epoch, message);
  };
  tell();
  const timer = setInterval(tell, tellEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Enters the mesh's account, to hear those who ask and be heard by all; never stored. */
async function ownCredential(identity: Identity, mesh: string): Promise<string> {
  const pair = createUser();
  const { epoch } = subjectsOf(mesh);
  const token = await encodeUser(
    "certificates",
    pair,
    identity.meshAccount,
    {
      pub: { allow: [epoch, "_INBOX.>", "_R_.>"] },
      sub: { allow: [...renewalPatterns(mesh), `${inbox}.>`] },
    },
    { signer: identity.signing },
  );
  return new TextDecoder().decode(fmtCreds(token, pair));
}
