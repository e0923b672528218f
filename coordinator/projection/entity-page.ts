/**
 * How entities lie in the store: trials and ledger lines, of which there are thousands, in pages of neighbours under
 * one key, everything else under its own. A page costs little more to write than one of its entities, and each save
 * holds up the loop. Not here: what an entity is, and when it is written.
 */
import { trialId } from "../../protocol/id.ts";
import type { StoreChanges } from "../../store/store.ts";

/** Trials of one page: a save writes all of them where one has changed. */
const trialsPerPage = 16;
const trialPrefix = "trial/";
const ledgerPrefix = "ledger/";
const trialPagePrefix = "trials/";
const ledgerPagePrefix = "lines/";
const pagePrefixes: ReadonlyMap<string, string> = new Map([
  [trialPrefix, trialPagePrefix],
  [ledgerPrefix, ledgerPagePrefix],
]);

/** The changes that store the entities under `keys` as they are now; `entityOf` gives undefined for one that is gone. */
export function pageChanges(
  keys: Iterable<string>,
  entityOf: (key: string) => unknown,
): Pick<StoreChanges, "put" | "remove"> {
  const put: [string, unknown][] = [];
  const remove: string[] = [];
  const trialPages = new Set<string>();
  /** Lines are only ever added, so what is new of one requester is a page by itself, under its first number. */
  const lines = new Map<string, { readonly key: string; readonly entities: unknown[]; last: number }>();
  for (const key of keys) {
    if (key.startsWith(trialPrefix)) {
      trialPages.add(trialPageOf(key.slice(trialPrefix.length)));
      continue;
    }
    const entity = entityOf(key);
    if (entity === undefined) {
      remove.push(key);
    } else if (key.startsWith(ledgerPrefix)) {
      const cut = key.lastIndexOf("/");
      const requester = key.slice(ledgerPrefix.length, cut);
      const number = Number(key.slice(cut + 1));
      const page = lines.get(requester);
      if (page?.last === number - 1) {
        page.entities.push(entity);
        page.last = number;
      } else {
        const begun = {
          key: ledgerPagePrefix + key.slice(ledgerPrefix.length),
          entities: [entity],
          last: number,
        };
        lines.set(requester, begun);
        put.push([begun.key, begun.entities]);
      }
    } else put.push([key, entity]);
  }
  for (const page of trialPages) put.push([trialPagePrefix + page, trialsOf(page, entityOf)]);
  return { put, remove };
}

/** Reads entities back one by one, whatever page they lie on: `range` is the store's. */
export function* entitiesIn(
  range: (prefix: string) => Iterable<[string, unknown]>,
  prefix: string,
): Iterable<readonly [string, unknown]> {
  const pagePrefix = pagePrefixes.get(prefix);
  if (pagePrefix === undefined) {
    yield* range(prefix);
    return;
  }
  for (const [key, page] of range(pagePrefix)) {
    if (!Array.isArray(page)) throw new Error(`broken invariant: ${key} is no page`);
    for (const entity of page as unknown[]) yield [prefix + key.slice(pagePrefix.length), entity];
  }
}

/** `s7/3` for the trial `s7-52`. */
function trialPageOf(trial: string): string {
  const cut = trial.lastIndexOf("-");
  return `${trial.slice(0, cut)}/${Math.floor((Number(trial.slice(cut + 1)) - 1) / trialsPerPage)}`;
}

function trialsOf(page: string, entityOf: (key: string) => unknown): unknown[] {
  const cut = page.lastIndexOf("/");
  const first = Number(page.slice(cut + 1)) * trialsPerPage + 1;
  const entities: unknown[] = [];
  for (let number = first; number < first + trialsPerPage; number++) {
    const entity = entityOf(trialPrefix + trialId(page.slice(0, cut), number));
    if (entity !== undefined) entities.push(entity);
  }
  return entities;
}
