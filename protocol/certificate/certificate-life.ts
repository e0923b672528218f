/** How long certificates of a mesh count, and when they are made anew: what a reader of one may conclude about the time goes by it. */

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

export interface CertificateLife {
  /** From when it is made to its end, ms. */
  readonly lifeMs: number;
  /** How long before it was made it begins, for clocks that are a little behind, ms. */
  readonly backdatedMs: number;
  /** After so long it is made anew, ms. */
  readonly renewMs: number;
}

/** The server's: whoever finds it expired has a clock that is days ahead of the mesh's, for it is renewed every day. */
export const serverLife: CertificateLife = { lifeMs: 14 * dayMs, backdatedMs: hourMs, renewMs: dayMs };
/** Of a user: one that is away for some days comes back with one that counts. */
export const userLife: CertificateLife = { lifeMs: 7 * dayMs, backdatedMs: hourMs, renewMs: 2 * dayMs };

for (const { lifeMs, renewMs } of [serverLife, userLife])
  if (renewMs * 2 > lifeMs) throw new Error("broken invariant: a certificate is renewed too late");
