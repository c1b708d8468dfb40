/** Who belonged where in a cycle, whatever the program was told. */
import type { Mapping } from "../../src/config/schema.ts";
import type { SimulatedOktaGroup } from "../../src/simulation/okta_state.ts";
import type { Person, Scene } from "./scene.ts";

/** The truth about a cycle, up to now. */
export interface Truth {
  /** A cycle begins. */
  begin(): void;
  /** Something has changed. */
  follow(): void;
  /** The groups that a mapping found at any moment; they are found before they are read. */
  foundBy(mapping: Mapping): SimulatedOktaGroup[];
  /** Whether an account's owner belonged into a team all the time. */
  alwaysBelonged(team: string, account: number): boolean;
  /** Whether they were in one of its groups at any moment. */
  everBelonged(team: string, account: number): boolean;
  /** Whether the groups of a team could prove at any moment that somebody is gone. */
  isProvable(team: string): boolean;
  /** Whether somebody has signed in with a new address: this cycle alone may take them for a stranger. */
  isRenewed(person: Person): boolean;
  /** The person with this address in Okta, now or earlier in the cycle: somebody may be renamed after they were read. */
  ownerOf(email: string): Person | undefined;
  /** Whether there was such an account when the cycle began. */
  isOld(account: number): boolean;
}

/** Follows a scene. */
export function followTruth(scene: Scene): Truth {
  const { config: { sync }, teams, people, world: { grafana: { state } } } = scene;
  const found = new Map<Mapping, Set<SimulatedOktaGroup>>();
  const always = new Map<string, ReadonlySet<number>>();
  const ever = new Map<string, Set<number>>();
  const provable = new Set<string>();
  const renewals = new Map<Person, number>();
  const owners = new Map<string, Person>();
  let accounts: ReadonlySet<number> = new Set();

  const foundBy = (mapping: Mapping) => [...found.get(mapping) ?? []];

  function isProof(mapping: Mapping): boolean {
    const [group, ...others] = scene.groupsOf(mapping);
    if (!group || others.length > 0) return false;
    return mapping.allow_empty || group.members.size > 0;
  }

  function follow(): void {
    for (const person of people) owners.set(person.okta.email?.toLowerCase() ?? "", person);
    for (const mapping of sync.mappings) {
      found.set(mapping, new Set([...foundBy(mapping), ...scene.groupsOf(mapping)]));
    }
    const somewhere = new Set<number>();
    for (const team of teams) {
      const mappings = scene.mappingsOf(team);
      const present = scene.belonging(team);
      const shown = mappings.flatMap(foundBy).flatMap(scene.countingMembers);
      always.set(team, always.get(team)?.intersection(present) ?? present);
      ever.set(
        team,
        new Set([...ever.get(team) ?? [], ...shown.flatMap(({ account }) => account?.id ?? [])]),
      );
      if (mappings.every(isProof)) provable.add(team);
      for (const account of present) somewhere.add(account);
    }
    // Who belongs nowhere may be forgotten.
    for (const person of people) if (!somewhere.has(person.account?.id ?? 0)) person.knownTo = undefined;
  }

  return {
    begin() {
      for (const before of [found, always, ever, provable, owners]) before.clear();
      for (const person of people) renewals.set(person, person.renewals);
      accounts = new Set(state.users.keys());
      follow();
    },
    follow,
    foundBy,
    alwaysBelonged: (team, account) => always.get(team)?.has(account) ?? false,
    everBelonged: (team, account) => ever.get(team)?.has(account) ?? false,
    isProvable: (team) => provable.has(team),
    isRenewed: (person) => person.renewals !== renewals.get(person),
    ownerOf: (email) => owners.get(email.toLowerCase()),
    isOld: (account) => accounts.has(account),
  };
}
