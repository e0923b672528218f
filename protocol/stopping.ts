/** How long a trial trains and who judges it on the way. Resources are epochs or whatever the task counts. */
import * as z from "zod";

export const stoppingSchema = z
  .discriminatedUnion("policy", [
    z.strictObject({ policy: z.literal("none"), max: z.int().min(1) }),
    z.strictObject({
      policy: z.literal("asha"),
      /** Resource (epochs) at the first rung. */
      min: z.int().min(1),
      max: z.int().min(1),
      /** One in `eta` trials is promoted from a rung to the next. */
      eta: z.int().min(2),
    }),
  ])
  .superRefine((stopping, context) => {
    if (stopping.policy === "asha" && stopping.min > stopping.max) {
      context.addIssue({
        code: "custom",
        path: ["min"],
        message: `min ${stopping.min} is above max ${stopping.max}`,
      });
    }
  });
export type Stopping = z.infer<typeof stoppingSchema>;
