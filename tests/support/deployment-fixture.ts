// A deployment as it is shown: two replicas are wanted, one answers, the other is being started.
import { deploymentView, type DeploymentView } from "../../protocol/deployment-view.ts";

export function deploymentFixture(change: Partial<DeploymentView> = {}): DeploymentView {
  const replica = { revision: null, requests: 0, failed: 0, since: 1_000, trouble: null };
  return deploymentView.parse({
    deployment: "answers",
    requester: "ada",
    sweep: "s9",
    reference: "language-id@champion",
    state: "short",
    why: null,
    revision: 3,
    versions: [
      {
        ...{ role: "incumbent", share: 1, model: "language-id", version: 2, task: "text-classification" },
        ...{ artifact: "a".repeat(64), dataset: null },
      },
    ],
    replicas: [
      {
        ...replica,
        ...{ trial: "s9-1", agent: "desk", fence: 4, state: "ready", revision: 3, requests: 120, failed: 1 },
      },
      { ...replica, trial: "s9-2", agent: "attic", fence: 7, state: "starting" },
    ],
    wanted: 2,
    tokensPerHour: 7_200_000,
    spent: 91_000,
    created: 1_000,
    ...change,
  });
}
