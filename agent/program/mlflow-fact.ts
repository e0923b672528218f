/** What a call of MLflow's client says of a trial. */
export type MlflowFact =
  | { readonly kind: "metric"; readonly name: string; readonly value: number; readonly step: number }
  | { readonly kind: "param" | "tag"; readonly name: string; readonly value: string };
