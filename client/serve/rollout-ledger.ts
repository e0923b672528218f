/**
 * Has what happens to a version on trial recorded: an interface, for who serves need not know how a mesh is asked. It is done in
 * `client/model/mesh-ledger.ts`.
 */

/** Points to the version on trial. */
export const canaryAlias = "canary";

export interface RolloutMove {
  readonly model: string;
  readonly version: number;
  readonly why: string;
}

export interface RolloutLedger {
  /** The alias that a served reference follows; null of a version. */
  aliasOf(reference: string): string | null;
  begun(move: RolloutMove): void;
  takenBack(move: RolloutMove): void;
  /** Whether the alias was moved. */
  promoted(move: RolloutMove & { readonly alias: string }): Promise<boolean>;
  /** Where the alias `canary` points now, if somebody moved it since it was recorded that this version is on trial; else null. */
  movedTo(model: string, version: number): Promise<number | null>;
  /** What has not been recorded by now is tried once more at most. */
  end(): Promise<void>;
}
