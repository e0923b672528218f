/**
 * SERVE-14. Follows where one reference points while it is served. Another version is loaded beside the one that answers, answers an example,
 * and only then takes its place; one that cannot is said, once, and tried again later, and the old one goes on. A mesh that is away
 * changes nothing.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Outcome } from "../../protocol/refusal.ts";
import { openProven, type ProvableModel } from "../../serving/model/prove-served.ts";

/** `M`: what is opened, for whoever is told of it. */
export interface FollowOptions<M extends ProvableModel = ProvableModel> {
  /** Which version it is now. */
  readonly resolve: (
    reference: string,
  ) => Promise<Outcome<{ readonly model: string; readonly version: number }>>;
  readonly open: (reference: string) => Promise<Outcome<M>>;
  /** Resolves when the one before has answered all it was asked. */
  readonly put: (reference: string, model: M) => Promise<void>;
  readonly say: (line: string) => void;
  /** Told of each version once it answers; it is not replaced before this is over. */
  readonly onServed?: (model: M) => Promise<void>;
}

/** A version that could not be served is not tried at every look. */
const looksBeforeRetry = 25;
/** What was begun with a version has so long to end once the server is to. */
const settleMaxMs = 3_000;

export class FollowReference<M extends ProvableModel = ProvableModel> {
  readonly #reference: string;
  readonly #options: FollowOptions<M>;
  #version = 0;
  #failed: { readonly version: number; looks: number } | null = null;
  #looking: Promise<void> | null = null;
  #settled = Promise.resolve();
  #isStopped = false;

  constructor(reference: string, options: FollowOptions<M>) {
    this.#reference = reference;
    this.#options = options;
  }

  /** The first version, without which nothing is served. */
  async start(): Promise<Outcome<M>> {
    const opened = await openProven(this.#options.open, this.#reference);
    if (!opened.ok) return opened;
    this.#version = opened.value.version;
    await this.#options.put(this.#reference, opened.value);
    this.#settle(opened.value);
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
    // A mesh that is away may keep it from its end, and is no reason to go on.
    await Promise.race([this.#settled, sleep(settleMaxMs, undefined, { ref: false })]);
  }

  async #follow(): Promise<void> {
    if (this.#isStopped) return;
    const found = await this.#options.resolve(this.#reference);
    if (!found.ok || found.value.version === this.#version) return;
    const { model, version } = found.value;
    if (this.#failed?.version === version && this.#failed.looks++ < looksBeforeRetry) return;
    const opened = await openProven(this.#options.open, `${model}@${version}`);
    if (!opened.ok) return this.#fail(version, opened.refusal.message);
    await this.#settled;
    if (this.#isStopped) return opened.value.dispose();
    this.#failed = null;
    const before = this.#version;
    this.#version = version;
    this.#options.say(`${this.#reference} is version ${version} now, and was ${before}`);
    // The look is over: the old one drains by itself.
    void this.#options.put(this.#reference, opened.value);
    this.#settle(opened.value);
  }

  #settle(model: M): void {
    const { onServed, say } = this.#options;
    if (onServed === undefined) return;
    this.#settled = onServed(model).catch((fault: unknown) =>
      say(`${model.model}@${model.version}: ${fault instanceof Error ? fault.message : "it failed"}`),
    );
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
