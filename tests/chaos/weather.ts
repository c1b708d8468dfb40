/** The weather of a cycle: which faults, how often, and whether someone else changes things while it runs. */
import { FAULTS, type LinkFlaw, LONG_WAIT, PAGE_FAULTS } from "./faults.ts";
import type { Random } from "./random.ts";

/** The weather of a cycle. */
export interface Weather {
  readonly faults: readonly string[];
  readonly faultRate: number;
  /** Every request to these fails in the same way. */
  readonly stuck?: { readonly path: RegExp; readonly fault: string } | undefined;
  /** What is wrong with every link of Okta. */
  readonly links?: LinkFlaw | undefined;
  /** A team that is written all at once cannot be read any more, or is to be written again. */
  readonly bulk?: "blinding" | "failing" | undefined;
  /** How often our clock is set before a request is answered. */
  readonly stepRate: number;
  /** How often hands do something before a request is answered. */
  readonly meddleRate: number;
  /** How often they do something, and something more, to a team in the moment in which it is read or written. */
  readonly crossingRate: number;
  /** Where they meddle. */
  readonly hands: readonly ("inOkta" | "inGrafana")[];
}

/** Members of a team of whom one cannot be. */
const ODD_MEMBERS = ["a member of a team without an id", "a member of a team twice"];

/** Nothing happens by itself. */
export const CALM: Weather = {
  faults: [],
  faultRate: 0,
  stepRate: 0,
  meddleRate: 0,
  crossingRate: 0,
  hands: ["inOkta", "inGrafana"],
};

const PATHS = [
  /groups\/00g000001\/users/,
  /groups\/00g000002/,
  /groups\?search/,
  /teams\/\d+\/members/,
  /org\/users/,
];

/** Little happens, and only by hand. */
export const BREEZES: readonly Weather[] = [
  CALM,
  { ...CALM, hands: ["inOkta"], meddleRate: 0.1 },
  { ...CALM, crossingRate: 0.7 },
  { ...CALM, hands: ["inOkta"], meddleRate: 0.1, crossingRate: 0.7 },
];

/** Anything may happen; only with a crowd is there more than one full page, to lose the next one. */
export function storm(random: Random, isCrowd: boolean): Weather {
  const names = random.chance(0.1) ? [LONG_WAIT] : Object.keys(random.pick([FAULTS, FAULTS, PAGE_FAULTS]));
  return {
    stuck: random.chance(0.05)
      ? { path: /teams\/\d+\/members/, fault: random.pick(ODD_MEMBERS) }
      : random.chance(0.4)
      ? { path: random.pick(PATHS), fault: random.pick(names) }
      : undefined,
    faults: random.some(names, 0.3),
    faultRate: random.pick([0, 0, 0.02, 0.1, 0.4]),
    links: isCrowd ? random.pick(["no next page", undefined]) : random.chance(0.1) ? "lost" : undefined,
    bulk: random.chance(0.3) ? random.pick(["blinding", "failing"]) : undefined,
    stepRate: random.pick([0, 0, 0.02]),
    meddleRate: random.pick([0, 0, 0.05, 0.3]),
    crossingRate: random.pick([0, 0.7]),
    hands: random.pick([["inOkta", "inGrafana"], ["inOkta"], ["inGrafana"]]),
  };
}
