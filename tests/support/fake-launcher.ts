/** The launch form's other side over a fake world: two templates, one check, and a submission that is kept. */
import type { LaunchDraft, Launcher } from "../../client/sweep/launcher.ts";
import { accept } from "../../protocol/refusal.ts";
import type { FakeWorld } from "./fake-world.ts";
import { estimateFixture } from "./why-fixture.ts";

/** `onSubmit` is told each draft that is submitted. */
export function fakeLauncher(world: FakeWorld, onSubmit: (draft: LaunchDraft) => void): Launcher {
  return {
    async templates() {
      return [
        {
          file: "examples/language-id.yaml",
          name: "language-id",
          task: "text-classification",
          dataset: "cldr-phrases",
          models: ["linear", "fasttext", "textcnn"],
          trials: 24,
          metric: "macroF1",
          stopping: "asha 1..9 eta 3",
        },
        {
          file: "examples/trec.yaml",
          name: "trec",
          task: "text-classification",
          dataset: "trec",
          models: ["fasttext"],
          trials: 12,
          metric: "accuracy",
          stopping: "none, 10 epochs",
        },
      ];
    },
    async validate(draft: LaunchDraft) {
      const trials = Number(draft.trials);
      const good = /^[1-9]\d*$/.test(draft.trials);
      return {
        problems: good
          ? []
          : [
              {
                field: "trials",
                message: `trials is "${draft.trials}": a whole number of at least 1 is right`,
              },
            ],
        trials: good ? trials : null,
        agentsThatFit: good ? 2 : null,
      };
    },
    async estimate() {
      return accept(estimateFixture());
    },
    async submit(draft: LaunchDraft) {
      onSubmit(draft);
      return accept({
        sweep: world.startSweep(draft.file.replace(/^.*\/|\.yaml$/g, ""), Number(draft.trials)),
      });
    },
  };
}
