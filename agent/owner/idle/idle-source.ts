/** Where an agent learns how long its owner has been away. A source only reads; what follows from it is the availability's. */

/** How long ago the last input was, in ms, or why nobody knows. */
export type Idleness =
  | { readonly kind: "idle"; readonly source: string; readonly ms: number }
  | { readonly kind: "unknown"; readonly why: string };

/**
 * `absent`: there is nothing here that this source could watch (no desktop, no terminal), so it has no say.
 * `unknown`: there is, and it cannot tell; then the owner may be there, whatever others say.
 */
export type IdleReading = Idleness | { readonly kind: "absent"; readonly why: string };

export interface IdleSource {
  readonly name: string;
  /** Never rejects, and answers within `askDeadlineMs` or little more. */
  read(): Promise<IdleReading>;
  /** Ends what it keeps running; where it keeps nothing there is none. */
  close?(): void;
}

/** The least idle counts; one that cannot tell outweighs all; where none has a say, nobody knows. */
export async function leastIdle(sources: readonly IdleSource[]): Promise<Idleness> {
  const readings = await Promise.all(sources.map((source) => source.read()));
  const unknown = readings.find((reading) => reading.kind === "unknown");
  if (unknown !== undefined) return unknown;
  const idle = readings.filter((reading) => reading.kind === "idle");
  const [first, ...rest] = idle;
  if (first !== undefined) return rest.reduce((least, one) => (one.ms < least.ms ? one : least), first);
  const why = readings.flatMap((reading, index) =>
    reading.kind === "absent" ? [`${sources[index]?.name}: ${reading.why}`] : [],
  );
  return { kind: "unknown", why: `no source of idleness works here (${why.join("; ") || "there is none"})` };
}
