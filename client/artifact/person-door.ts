/**
 * A person's program among the machines of the mesh: it shows the person's own certificate and goes to others' doors; it opens no port and answers nothing. Not
 * here: what is asked of them.
 */
import { X509Certificate } from "node:crypto";
import { meshIdentity } from "../../artifact/peer/mesh-identity.ts";
import { PeerDoor } from "../../artifact/peer/peer-door.ts";
import { PeerReach } from "../../artifact/peer/peer-reach.ts";
import { loadCredential } from "../../mesh/credential.ts";
import { operatorCheck } from "../../mesh/mesh-trust.ts";
import {
  keepCertificate,
  type KeptCertificate,
  type ShownCertificate,
} from "../../mesh/part/keep-certificate.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import type { Connected } from "../connect/connect-mesh.ts";

/** The first time the mesh has to sign one, ms. */
const certificateMs = 3_000;

export interface PersonDoor {
  readonly reach: PeerReach;
  close(): Promise<void>;
}

/** Null where the person has no certificate, and the mesh signs none now. */
export async function openPersonDoor({ bus, client, home }: Connected): Promise<PersonDoor | null> {
  const { role, who } = client;
  const credential = await loadCredential(home, role, who);
  if (!credential.ok) return null;
  const check = operatorCheck(credential.value);
  if (!check.ok) return null;
  const kept = keepCertificate({
    ...{ home, role, name: who, bus, clock: systemClock },
    ...{ userKey: credential.value.publicKey, check: check.value, say: () => undefined },
  });
  if (!kept.ok) return null;
  const shown = await shownBy(kept.value);
  if (shown === null) {
    kept.value.stop();
    return null;
  }
  return through(home.mesh, `${role}:${who}`, kept.value, shown);
}

function through(mesh: string, self: string, kept: KeptCertificate, shown: ShownCertificate): PersonDoor {
  const isRevoked = (userKey: string) => kept.revoked.isRevoked(userKey);
  const identityOf = (own: ShownCertificate) => meshIdentity({ ...own, mesh, isRevoked });
  const door = new PeerDoor({
    ...{ identity: identityOf(shown), clock: systemClock, listen: null },
    onLink: () => undefined,
    say: () => undefined,
  });
  const ends = [
    kept.onRenewed((own) => door.renew(identityOf(own))),
    kept.revoked.onChange(() => door.recheck()),
  ];
  return {
    reach: new PeerReach(door, systemClock, self),
    close: async () => {
      for (const end of ends) end();
      kept.stop();
      await door.close();
    },
  };
}

/** One that counts: that of before where it does, else the one that the mesh signs now; null where it signs none. */
function shownBy(kept: KeptCertificate): Promise<ShownCertificate | null> {
  const before = kept.current();
  if (before !== null && new X509Certificate(before.certificate).validToDate.getTime() > systemClock.now())
    return Promise.resolve(before);
  return new Promise((resolve) => {
    const stopTimer = systemClock.setTimer(certificateMs, () => end(null));
    const stopHearing = kept.onRenewed((shown) => end(shown));
    const end = (shown: ShownCertificate | null) => {
      stopTimer();
      stopHearing();
      resolve(shown);
    };
  });
}
