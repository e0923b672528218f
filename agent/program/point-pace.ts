/** How many points a program's curve may have: so many at once, and what comes after at a pace that can be drawn. */

const pointsFreeMax = 1_000;
const pointEveryMs = 50;

export class PointPace {
  #points = 0;
  #at = -Infinity;

  /** Whether another one is drawn. `now` in ms. */
  admit(now: number): boolean {
    if (++this.#points > pointsFreeMax && now - this.#at < pointEveryMs) return false;
    this.#at = now;
    return true;
  }
}
