/**
 * SERVE-14. Follows where one reference points while it is served. Another version is loaded beside the one that answers, answers an example,
 * and only then takes its place; one that cannot is said, once, and tried again later, and the old one goes on. A mesh that is away
 * changes nothing.
 */
import type { Outcome } from "../../protocol/refusal.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import { openProven } from "../../serving/model/prove-served.ts";

export interface FollowOptions {
  /** Which version it is now. */
  readonly resolve: (
    reference: string,
  ) => Promise<Outcome<{ readonly model: string; readonly version: number }>>;
  readonly open: (reference: string) => Promise<Outcome<ServedModel>>;
  /** Resolves when the one before has answered all it was asked. */
  readonly put: (reference: string, model: ServedModel) => Promise<void>;
  readonly say: (line: string) => void;
}

/** A version that could not be served is not tried at every look. */
const looksBeforeRetry = 25;

export class FollowReference {
  readonly #reference: string;
  readonly #options: FollowOptions;
  #version = 0;
  #failed: { readonly version: number; looks: number } | null = null;
  #looking: Promise<void> | null = null;
  #isStopped = false;

  constructor(reference: string, options: FollowOptions) {
    this.#reference = reference;
    this.#options = options;
  }

  /** The first version, without which nothing is served. */
  async start(): Promise<Outcome<ServedModel>> {
    const opened = await openProven(this.#options.open, this.#reference);
    if (!opened.ok) return opened;
    this.#version = opened.value.version;
    await this.#options.put(this.#reference, opened.value);
    return opened;
  }

  /** Does nothing where a look is still under way. */
  look(): Promise<void> {
    this.#looking ??= this.#follow()
      .catch((fault: unknown) =>
        this.#options.say(`${this.#reference}: ${fault instanceof Error ? fault.message : "it failed"}`),
      )
      .finally(() => (this.#looking = null));
    return this.#looking;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#looking;
  }

  async #follow(): Promise<void> {
    if (this.#isStopped) return;
    const found = await this.#options.resolve(this.#reference);
    if (!found.ok || found.value.version === this.#version) return;
    const { model, version } = found.value;
    if (this.#failed?.version === version && this.#failed.looks++ < looksBeforeRetry) return;
    const opened = await openProven(this.#options.open, `${model}@${version}`);
    if (!opened.ok) return this.#fail(version, opened.refusal.message);
    if (this.#isStopped) return opened.value.dispose();
    this.#failed = null;
    const before = this.#version;
    this.#version = version;
    this.#options.say(`${this.#reference} is version ${version} now, and was ${before}`);
    // The look is over: the old one drains by itself.
    void this.#options.put(this.#reference, opened.value);
  }

  #fail(version: number, why: string): void {
    const isKnown = this.#failed?.version === version;
    this.#failed = { version, looks: 0 };
    if (!isKnown)
      this.#options.say(
        `${this.#reference} stays at version ${this.#version}: version ${version} cannot be served: ${why}`,
      );
  }
}
