/** Notices a team that would be created next to the intended one. */
import { levenshteinDistance } from "@std/text";
import { foldAddress } from "../grafana/directory.ts";

/** Names that differ in this share of their letters are different on purpose. */
const MOST_DIFFERENCE = 1 / 4;

/** A name in the form in which two are compared: case and blanks do not count. */
function foldName(name: string): string {
  return foldAddress(name).replace(/\s+/g, " ");
}

/** The team of Grafana that a name, which none of them has, probably stands for; not one that some mapping names. */
export function similarTeam(
  name: string,
  teams: ReadonlyMap<string, unknown>,
  mapped: ReadonlySet<string>,
): string | undefined {
  const wanted = foldName(name);
  const others = [...teams.keys()].filter((team) => !mapped.has(team));
  const distances = others.map((team) => [levenshteinDistance(wanted, foldName(team)), team] as const);
  const [distance = Infinity, nearest] = distances.sort(([a], [b]) => a - b)[0] ?? [];
  return distance <= wanted.length * MOST_DIFFERENCE ? nearest : undefined;
}

/** What to do about it. */
export const SIMILAR_ADVICE = "use Grafana's spelling, unless you want a new team";
