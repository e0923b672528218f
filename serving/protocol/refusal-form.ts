/** A refusal as its protocol writes it: `{"error": …}` for the Open Inference Protocol and for people, MLflow's own for its clients. */
import type { HttpRefusal } from "./http-refusal.ts";

export type RefusalForm = "open-inference" | "mlflow";

const codes: Readonly<Partial<Record<HttpRefusal["status"], string>>> = {
  ...{
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
  },
  ...{ 413: "INVALID_PARAMETER_VALUE", 415: "INVALID_PARAMETER_VALUE", 429: "RESOURCE_EXHAUSTED" },
  ...{ 500: "INTERNAL_ERROR", 503: "TEMPORARILY_UNAVAILABLE" },
};

export function refusalJson({ message, status }: HttpRefusal, form: RefusalForm): string {
  return form === "mlflow"
    ? JSON.stringify({ error_code: codes[status] ?? "BAD_REQUEST", message, error: message })
    : JSON.stringify({ error: message });
}
