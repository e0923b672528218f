/**
 * Work on the mesh's store that is looked at again and again and done one run at a time. A server that is away is told once, and the next
 * look tries again.
 */
import { BusError } from "../../protocol/bus/bus.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";

export class StoreTask {
  readonly #tell: (trouble: string) => void;
  #busy = false;
  #trouble = "";

  /** `tell`: hears why a run failed, where that is not what it heard last. */
  constructor(tell: (trouble: string) => void) {
    this.#tell = tell;
  }

  /** Nothing while a run is under way. `failed`: hears of each that the bus ended; anything else is thrown. */
  run(work: () => Promise<void>, failed: (error: BusError) => void = () => undefined): void {
    if (this.#busy) return;
    this.#busy = true;
    work().then(
      () => {
        this.#busy = false;
        this.#trouble = "";
      },
      (error: unknown) => {
        this.#busy = false;
        if (!(error instanceof BusError)) throw error;
        const trouble = errorSentence(error);
        if (trouble !== this.#trouble) this.#tell(trouble);
        this.#trouble = trouble;
        failed(error);
      },
    );
  }
}
