/**
 * The area under the ROC curve: the chance that a row of class 1 scores above one of class 0, ties counting half
 * (Mann-Whitney; as `sklearn.metrics.roc_auc_score`). 0.5 where a class has no row.
 */
export function rocAuc(labels: Int32Array, scores: Float64Array): number {
  const order = Int32Array.from(labels.keys()).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));
  let [rankSum, positives] = [0, 0];
  for (let from = 0; from < order.length;) {
    let to = from;
    let tiedPositives = 0;
    const score = scores[order[from] ?? 0];
    while (to < order.length && scores[order[to] ?? 0] === score) {
      tiedPositives += labels[order[to] ?? 0] ?? 0;
      to++;
    }
    rankSum += tiedPositives * ((from + to + 1) / 2);
    positives += tiedPositives;
    from = to;
  }
  const negatives = labels.length - positives;
  if (positives === 0 || negatives === 0) return 0.5;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}
