/** The port a mesh's server listens on, wherever one is started from here. */
import { portMax } from "../../mesh/port.ts";
import { rangeFlag } from "./range.ts";

export const portFlag = rangeFlag({
  least: 0,
  most: portMax,
  whole: true,
  said: `1 to ${portMax} (or 0 for a free one)`,
});
