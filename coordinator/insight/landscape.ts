/** The objective as a forest of the trials sees it: along one parameter, and over two, the others averaged out. */
import type { Value } from "../../protocol/value.ts";
import type { ChartAxis } from "./chart-axis.ts";
import type { TrialModel } from "./model-of-trials.ts";
import type { Parameter } from "./insight-parameter.ts";

const lineSteps = 40;
const gridSteps = 24;

export interface LinePoint {
  readonly at: number | string;
  /** In the metric's own unit. */
  readonly value: number;
}

export interface GridPoint {
  readonly x: number | string;
  readonly y: number | string;
  readonly value: number;
}

/** A parameter with its axis. */
export interface Drawn {
  readonly parameter: Parameter;
  readonly axis: ChartAxis;
}

/** `sign` turns a loss into the metric's value. */
export function lineOf(model: TrialModel, { axis, parameter }: Drawn, sign: 1 | -1): readonly LinePoint[] {
  return stationsOf(axis, parameter, lineSteps).flatMap(({ at, value }) => {
    const loss = model.expected({ [parameter.name]: value });
    return loss === null ? [] : [{ at, value: sign * loss }];
  });
}

export function gridOf(model: TrialModel, x: Drawn, y: Drawn, sign: 1 | -1): readonly GridPoint[] {
  const columns = stationsOf(x.axis, x.parameter, gridSteps);
  const rows = stationsOf(y.axis, y.parameter, gridSteps);
  return columns.flatMap((column) =>
    rows.flatMap((row) => {
      const loss = model.expected({
        [x.parameter.name]: column.value,
        [y.parameter.name]: row.value,
      });
      return loss === null ? [] : [{ x: column.at, y: row.at, value: sign * loss }];
    }),
  );
}

interface Station {
  readonly at: number | string;
  readonly value: Value;
}

/** Evenly spaced on the axis's own scale; every category once. */
function stationsOf(axis: ChartAxis, parameter: Parameter, steps: number): readonly Station[] {
  if (axis.kind === "category") {
    const values = parameter.regimes.flatMap(({ domain }) =>
      domain.distribution === "choice" ? domain.values : [],
    );
    return axis.categories.flatMap((at) => {
      const value = values.find((one) => String(one) === at);
      return value === undefined ? [] : [{ at, value }];
    });
  }
  const { log, max, min } = axis;
  return Array.from({ length: steps }, (_, index) => {
    const share = index / (steps - 1);
    const at = log ? min * (max / min) ** share : min + (max - min) * share;
    return { at, value: at };
  });
}
